from burnish.report.trees import Twig, mermaid_tree, text_tree

TWIGS = [Twig("a", 0, "first"), Twig("b", 1), Twig("c", 2, "deep", "used"), Twig("d", 1), Twig("e", 0)]


def test_a_tree_in_text_has_lines_that_lead_to_what_hangs_below():
    assert text_tree(TWIGS).splitlines() == ["a        first", "├─ b", "│  └─ c  deep", "└─ d", "e"]


def test_a_diagram_has_a_node_for_each_twig_and_an_arrow_to_each_that_hangs_on_another():
    lines = mermaid_tree(TWIGS, {"used": "stroke:#00ff00"}).splitlines()
    assert lines[:2] == ["flowchart LR", "  classDef used stroke:#00ff00"]
    assert lines[4] == '  n2["c<br/>deep"]:::used'
    assert lines[-3:] == ["  n0 --> n1", "  n1 --> n2", "  n0 --> n3"]


def test_what_a_diagram_would_read_as_its_own_is_written_as_codes():
    assert '  n0["#lt;b#gt; #quot;#35;1#quot;"]' in mermaid_tree([Twig('<b> "#1"')])


def test_a_level_that_is_left_out_does_no_harm():
    assert text_tree([Twig("a"), Twig("b", 2), Twig("c", 1)]).splitlines() == ["a", "│  └─ b", "└─ c"]


def test_nothing_is_an_empty_tree():
    assert text_tree([]) == ""
    assert mermaid_tree([]) == "flowchart LR"
