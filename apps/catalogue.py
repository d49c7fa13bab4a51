"""All applications, in the order of the document."""

import importlib

# Files of programs/. Each holds APPLICATIONS.
PROGRAMS = (
    "openssh",
    "sudo",
    "su",
    "login",
    "cockpit",
    "ajenti",
    "jupyterhub",
    "postgresql",
    "openvpn",
    "freeradius",
    "saslauthd",
    "squid",
    "polkit",
    "i3lock",
    "swaylock",
)


def applications():
    """Every application, as an instance of its own."""
    for program in PROGRAMS:
        for application in importlib.import_module(f"apps.programs.{program}").APPLICATIONS:
            yield application()


def find(title):
    """The application of that name."""
    return next(one for one in applications() if one.title == title)
