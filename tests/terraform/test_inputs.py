"""The values that a configuration itself calls sensitive."""

import time

from tfai_jupyter.terraform.inputs import sensitive_inputs

CONFIGURATION = """
variable "list" {
  sensitive = true
  default   = ["Secret-in-a-list-1"]
}
variable "map" {
  sensitive = true
  default   = { password = "Secret-in-a-map-2", pin = 48213377 }
}
variable "number" {
  sensitive = true
  default   = 99887766
}
variable "region" {
  default = "eu-central-1"
}
"""


def test_literals_of_every_shape_are_found(tmp_path):
    """Strings and long numbers inside lists and maps are secrets; what nobody calls sensitive is none."""
    (tmp_path / "main.tf").write_text(CONFIGURATION)

    found = sensitive_inputs(tmp_path)

    assert {"Secret-in-a-list-1", "Secret-in-a-map-2", "48213377", "99887766"} <= found
    assert "eu-central-1" not in found


def test_a_long_run_of_letters_is_read_in_time_with_its_length(tmp_path):
    """A file that no person wrote cannot hold a thread for minutes."""
    (tmp_path / "main.tf").write_text("a" * 500_000 + " " * 500_000 + '"')
    begun = time.process_time()

    assert set() == sensitive_inputs(tmp_path)
    assert 20 > time.process_time() - begun  # coarse: what was quadratic took hours


def test_a_file_of_ten_gigabytes_is_not_read(tmp_path):
    """What nobody wrote is passed over; what stands beside it is found."""
    with (tmp_path / "huge.tf").open("wb") as file:
        file.truncate(10 * 1024**3)
    (tmp_path / "main.tf").write_text(CONFIGURATION)

    assert "Secret-in-a-list-1" in sensitive_inputs(tmp_path)
