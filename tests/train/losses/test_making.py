"""From names to descriptions to losses: aliases, nearest names, YAML, overrides, the seeds' own settings."""

import subprocess
import sys
import warnings

import pytest
import torch

from burnish.config import apply_overrides, dump, read_yaml
from burnish.descriptions import config_class, describe, load, schema
from burnish.errors import ConfigError
from burnish.train import losses
from burnish.train.losses.settings.region import TverskyConfig

SEED_YAML = """
criterion:
  name: TverskyLoss # For available loss functions check src/losses/__init__.py
  args:
    alpha: 0.5   # FN
    beta: 0.5    # FP
    smooth: 1
    mode: binary
    from_logits: True
"""


def test_a_name_a_mapping_and_a_description_give_the_same_loss():
    described = TverskyConfig(fp_weight=0.3, fn_weight=0.7)
    for given in (described, {"name": "tversky", "fp_weight": 0.3, "fn_weight": 0.7}):
        loss = losses.build(given)
        assert (loss.name, loss.description) == ("tversky", described)
    assert losses.build("tversky").description == TverskyConfig()


@pytest.mark.parametrize("name", sorted(losses.LOSSES.entries))
def test_every_entry_has_a_description_with_its_name_and_a_word_on_every_field(name):
    cls = config_class(losses.LOSSES, name)
    assert cls.model_fields["name"].default == name
    assert all(field.description for field in cls.model_fields.values())
    assert name == "combined" or losses.build(name).name == name


@pytest.mark.parametrize("alias", sorted(losses.LOSSES.aliases))
def test_every_name_of_the_seeds_makes_a_loss(alias):
    name = losses.LOSSES.aliases[alias].name
    given = {"name": alias} if name != "combined" else {"name": alias, "parts": {"a": {"loss": "dice"}}}
    assert losses.build(given).name == name


def test_the_seeds_own_criterion_is_read_as_it_stands():
    loss = losses.build(read_yaml(SEED_YAML)["criterion"])
    assert loss.description == TverskyConfig(mode="binary", smooth=1, empty="zero")


def test_alpha_weighs_false_positives_and_beta_false_negatives_and_a_warning_says_so():
    with pytest.warns(UserWarning, match=r"alpha 0\.3 weighs false positives and beta 0\.7 false negatives"):
        loss = losses.build({"name": "TverskyLoss", "args": {"alpha": 0.3, "beta": 0.7, "mode": "binary", "from_logits": False}})
    assert (loss.description.fp_weight, loss.description.fn_weight) == (0.3, 0.7)
    # One true pixel of which half is found, and one false one: TP .5, FP 1, FN .5.
    value = loss(torch.tensor([[0.5, 1.0]]), torch.tensor([[1.0, 0.0]])).mean.item()
    assert value == pytest.approx(1 - 0.5 / (0.5 + 0.3 * 1 + 0.7 * 0.5))


def test_equal_weights_bring_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses.build({"name": "TverskyLoss", "alpha": 0.7, "beta": 0.7})


def test_bce_loss_expects_probabilities():
    chances, target = torch.tensor([[0.2, 0.9]]), torch.tensor([[0.0, 1.0]])
    assert losses.build("BCELoss")(chances, target).mean == pytest.approx(torch.nn.BCELoss()(chances, target).item())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tverski", "There is no loss 'tverski'. Did you mean 'tversky'?"),
        ({"name": "tversky", "fp_wieght": 1}, "unknown key 'fp_wieght'. Did you mean 'fp_weight'?"),
        ({"name": "focal", "gamma": -1}, "'gamma' is -1: input should be greater than or equal to 0."),
        ({"gamma": 2}, "A loss is chosen by its name, but 'name' is None."),
        ({"name": "TverskyLoss", "alpha": 0.5, "fp_weight": 0.5}, "two names of one setting"),
        ({"name": "BCELoss", "reduction": "sum"}, "The result of a loss has .mean, .sum"),
        ({"name": "surface", "label_smoothing": 0.1}, "label_smoothing has no meaning"),
        ({"name": "combined", "parts": {"a": {"loss": "dise"}}}, "'parts.a.loss' is 'dise': there is no loss 'dise'. Did you mean 'dice'?"),
        ({"name": "binary_cross_entropy", "mode": "multiclass"}, "'mode' is 'multiclass'"),
        ({"name": "dice", "args": 3}, "expected settings as key: value"),
    ],
)
def test_a_wrong_description_is_told_with_what_is_right(given, message):
    with pytest.raises(ConfigError) as told:
        losses.build(given)
    assert message in str(told.value)


def test_the_resolved_description_makes_the_same_loss_again():
    given = {"name": "combined", "parts": {"region": {"loss": {"name": "dice", "smooth": 1}}, "ce": {"loss": "CE", "weight": 0.5}}}
    described = describe(losses.LOSSES, given)
    assert describe(losses.LOSSES, read_yaml(dump(described))) == described
    assert "smooth: 1.0" in dump(described)


def test_overrides_reach_into_a_combined_loss():
    given = {"name": "combined", "parts": {"region": {"loss": {"name": "dice"}}}}
    changed = describe(losses.LOSSES, apply_overrides(given, ["parts.region.weight=0.25", "parts.region.loss.smooth=2"]))
    assert (changed.parts["region"].weight, changed.parts["region"].loss.smooth) == (0.25, 2.0)


def test_the_json_schema_names_every_loss():
    names = [entry["properties"]["name"]["const"] for entry in schema(losses.LOSSES)["oneOf"]]
    assert names == sorted(losses.LOSSES.entries)


def test_describing_a_loss_loads_no_torch():
    code = "import sys; from burnish.train import losses; from burnish.descriptions import describe, schema\n"
    code += "describe(losses.LOSSES, 'tversky'); schema(losses.LOSSES); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_is_read_with_overrides_and_its_mistakes_are_told_with_their_line(tmp_path):
    path = tmp_path / "loss.yaml"
    path.write_text("name: focal\ngamma: 3\n", encoding="utf-8")
    assert load(losses.LOSSES, path, ["gamma=1.5"]).gamma == 1.5
    path.write_text("name: TverskyLoss\nargs:\n  mode: binary\n  gama: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"loss\.yaml: line 4: unknown key 'gama'\. Did you mean 'gamma'\?"):
        load(losses.LOSSES, path)
    path.write_text("name: tversk\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"loss\.yaml: there is no loss 'tversk'\. Did you mean 'tversky'\?"):
        load(losses.LOSSES, path)
