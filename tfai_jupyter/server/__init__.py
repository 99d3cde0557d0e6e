"""The face inside the notebook server; tornado and jupyter_server appear only here."""
