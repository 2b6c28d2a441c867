# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that are shown to others hold no user's name, folder or photo."""

import os

import pytest

from hffne.redact import redact, redact_user


@pytest.mark.parametrize(
    ("user", "text", "expected"),
    [
        ("anna", "savannah, hannah and annabel", "savannah, hannah and annabel"),
        ("anna", "/mnt/savannah/anna/x.npz", "/mnt/savannah/<user>/x.npz"),
        ("anna", "/mnt/anna_photos and Anna's", "/mnt/<user>_photos and <user>'s"),
        ("anna", "host anna-laptop, anna.", "host <user>-laptop, <user>."),
        ("clara.m", "clara.m and claraXm", "<user> and claraXm"),
        ("a", "a face, at /data/a/b, /a and /abc/da", "a face, at /data/<user>/b, /<user> and /abc/da"),
        ("jo", "Jo and major, D:\\jo\\x", "Jo and major, D:\\<user>\\x"),
        ("root", "the root folder, uprooted: /srv/root", "the root folder, uprooted: /srv/<user>"),
        ("root", "/srv/root.old/x", "/srv/root.old/x"),
        ("", "nobody's name", "nobody's name"),
        ("m+x", "m+x and max", "<user> and max"),
    ],
)
def test_a_user_name_is_replaced_as_a_whole_word_only(user, text, expected):
    assert redact_user(text, user=user, home="/") == expected


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("/home/anna", "/home/anna/x.jpg, /home/anna.", "~/x.jpg, ~."),
        ("/home/anna", "/home/annabel/x and /home/anna.old/x", "/home/annabel/x and /home/anna.old/x"),
        ("/home/anna", "/mnt/home/anna/x", "/mnt/home/anna/x"),
        ("/", "/usr/lib and a/b", "/usr/lib and a/b"),
        ("/a", "a/a/b and /a/b", "a/a/b and ~/b"),
    ],
)
def test_the_home_folder_is_replaced_as_a_whole_path_only(home, text, expected):
    assert redact_user(text, user="nobody-here", home=home) == expected


def test_the_home_folder_of_windows_in_both_notations():
    home = "C:\\Users\\Anna"
    for text in ("C:\\Users\\Anna\\x.npz", "C:/Users/Anna/x.npz"):
        assert redact_user(text, user="Anna", home=home)[:2] in ("~\\", "~/")
    assert redact_user("C:\\Users\\Annabel\\x", user="Anna", home=home) == "C:\\Users\\Annabel\\x"


def test_redact_also_removes_quoted_names_and_whole_paths():
    assert redact("'/home/jo/a.jpg' is damaged", user="jo", home="/home/jo") == "<name> is damaged"
    assert redact("No file /data/Mary, 3 (b)/x.jpg.", user="jo", home="/home/jo") == "No file <path>"
    assert redact("and/or none, 3 / 4", user="jo", home="/home/jo") == "and/or none, 3 / 4"


@pytest.mark.skipif(os.name == "nt", reason="sets HOME, which Windows does not use")
def test_the_process_gives_the_name_and_the_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/clara.m")
    for variable in ("LOGNAME", "USER"):
        monkeypatch.setenv(variable, "clara.m")
    assert redact_user("/home/clara.m/photos/x.jpg of clara.m") == "~/photos/x.jpg of <user>"
