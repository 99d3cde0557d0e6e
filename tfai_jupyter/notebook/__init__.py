"""The face inside a notebook; IPython and ipywidgets appear only here."""
