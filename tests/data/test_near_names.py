from burnish.data.near_names import nearest_name

CLASSES = ["car", "bus", "traffic light", "Порядок (отряд)", "Пожарный гидрант"]


def test_the_name_that_was_probably_meant_is_found_letter_case_aside():
    assert nearest_name("trafic ligth", CLASSES) == "traffic light"
    assert nearest_name("ПОРЯДОК (ОТРЯД)", CLASSES) == "Порядок (отряд)"
    assert nearest_name("Гидрант", CLASSES) == "Пожарный гидрант"
    assert nearest_name("cat", CLASSES) == "car"


def test_a_name_like_none_has_none():
    assert nearest_name("zebra", CLASSES) is None
    assert nearest_name("", CLASSES) is None
    assert nearest_name("x", []) is None


def test_a_near_name_is_found_among_very_many():
    many = [f"{letter}{number:05d}" for letter in "abcdef" for number in range(2000)]
    assert nearest_name("street lamp", [*many, "streetlamp", *many]) == "streetlamp"
