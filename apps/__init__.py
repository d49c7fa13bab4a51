"""Real applications log in through pam_otp.so, and what comes of it.

`make check-apps` runs `run.py`. It starts `inside.py` for each program of
`programs/`, in a sandbox of its own (`enter.sh`, `sandbox.py`); there the program
gets every case of `cases.py`, from a person (`person.py`) who types. What happened
is compared with what the program's file expects, and written to
docs/applications.md (`document.py`).
"""
