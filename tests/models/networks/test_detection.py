"""Detectors learn, take weights from every source, and refuse targets that do not fit."""

import json

import pytest
import torch
import transformers
from network_builders import DETECTION, built, objects, pictures

from burnish.errors import ConfigError, DataError, ModelError, WeightsError
from burnish.models.networks.building import build_network
from burnish.models.networks.found import Objects
from burnish.models.networks.pictures import filled_up

DETRS = DETECTION[1:]


def scene(count, seed):
    """Grey pictures with a bright square (class 0) and a dark one (class 1), of changing sizes and places."""
    generator = torch.Generator().manual_seed(seed)
    shown = torch.randint(100, 140, (count, 3, 64, 64), dtype=torch.uint8, generator=generator)
    targets = []
    for picture in shown:
        boxes = []
        for start, value in ((0, 250), (32, 5)):
            side, left, top = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((12, 24), (0, 8), (0, 40)))
            boxes.append([start + left, top, start + left + side, top + side])
            picture[:, top : top + side, start + left : start + left + side] = value
        targets.append(Objects(torch.tensor(boxes, dtype=torch.float32), torch.tensor([0, 1])))
    return shown, targets


def test_our_detector_learns_squares_in_a_moment():
    torch.manual_seed(0)
    model = build_network({"name": "centres", "width": 8, "depth": 4}, outputs=2).train()
    shown, targets = scene(16, 0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(60):
        optimiser.zero_grad()
        sum(model.losses(shown, targets).values()).backward()
        optimiser.step()
    seen, true = scene(8, 1)
    for found, wanted in zip(model.eval().detect(seen, threshold=0.2), true, strict=True):
        assert found.classes.sort().values.tolist() == [0, 1]
        order = found.classes.argsort()
        assert (found.boxes[order] - wanted.boxes).abs().max() < 6


@pytest.mark.parametrize("case", DETRS, ids=str)
def test_the_parts_of_a_loss_add_up_to_that_of_the_family(case):
    model = built(case).eval()
    shown, targets = pictures(case), objects(case, 2)
    torch.manual_seed(4)
    parts = model.losses(shown, targets)
    pixels = filled_up(model.normalise(shown), model.stride, model.smallest)
    torch.manual_seed(4)
    whole = model.network(pixel_values=pixels, labels=[model._label(target, pixels) for target in targets]).loss
    assert sum(parts.values()).item() == pytest.approx(whole.item(), rel=1e-4)


@pytest.mark.parametrize("case", DETRS, ids=str)
def test_a_detr_learns_from_its_own_loss(case):
    torch.manual_seed(0)
    model = built(case).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    shown, targets = pictures(case), objects(case, 2)
    totals = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = sum(model.losses(shown, targets).values())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        totals.append(loss.item())
    assert min(totals[-3:]) < 0.9 * totals[0]


@pytest.mark.slow
@pytest.mark.parametrize("case", DETRS, ids=str)
def test_a_detr_is_built_from_a_folder_with_a_new_head(case, tmp_path):
    source = built(case)
    source.network.save_pretrained(tmp_path)
    options = {key: value for key, value in case.settings.items() if key in {"name", "masks"}}
    again = build_network({**options, "weights": tmp_path}, outputs=3)
    assert all(torch.equal(value, again.network.state_dict()[key]) for key, value in source.network.state_dict().items())
    other = build_network({**options, "weights": tmp_path}, outputs=5)
    assert other.network.config.num_labels == 5
    key = next(key for key in source.network.state_dict() if "backbone" in key and key.endswith("weight"))
    assert torch.equal(other.network.state_dict()[key], source.network.state_dict()[key])


def test_a_folder_of_another_family_is_refused(tmp_path):
    built(DETRS[0]).network.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="holds a model of type 'rt_detr'; d_fine is of type 'd_fine'"):
        build_network({"name": "d_fine", "weights": tmp_path}, outputs=3)


def test_a_folder_without_all_weights_is_refused_with_names(tmp_path):
    network = built(DETRS[3]).network
    state = {key: value for key, value in network.state_dict().items() if "query_feat" not in key}
    network.save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(WeightsError, match=r"does not fit rf_detr: 1 tensors: model\.query_feat"):
        build_network({"name": "rf_detr", "weights": tmp_path}, outputs=3)


def test_the_preprocessing_of_a_folder_is_kept(tmp_path):
    built(DETRS[0]).network.save_pretrained(tmp_path)
    told = {"do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    model = build_network({"name": "rt_detr", "weights": tmp_path}, outputs=3)
    assert torch.allclose(model.normalise(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)), torch.ones(1))


def test_a_hub_name_without_a_network_says_how_to_bring_it(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"no copy of the model somebody/detr .*cannot be reached.*hf download"):
        build_network({"name": "rt_detr", "weights": "somebody/detr"}, outputs=3)


def test_bare_pretrained_asks_which():
    with pytest.raises(WeightsError, match="Say which pretrained weights: a hub name"):
        build_network({"name": "rt_detr", "weights": "pretrained"}, outputs=3)


def test_an_unknown_option_of_a_family_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"'options' of rt_detr has 'num_querys'.*num_queries"):
        build_network({"name": "rt_detr", "options": {"num_querys": 3}}, outputs=3)


@pytest.mark.parametrize("case", DETECTION, ids=str)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Objects(torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([3])), r"classes 3 to 3; the network knows 0 to 2"),
        (Objects(torch.tensor([[1.0, 1, 1, 9]]), torch.tensor([0])), r"a box that is empty"),
        (Objects(torch.zeros(1, 3), torch.tensor([0])), r"boxes of shape \(1, 3\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(case, target, message):
    with pytest.raises(DataError, match=message):
        built(case).losses(pictures(case, 1), [target])


def test_targets_for_each_picture_are_wanted():
    with pytest.raises(DataError, match="Targets of 1 pictures were found beside 2 pictures"):
        built(DETECTION[0]).losses(pictures(DETECTION[0]), objects(DETECTION[0], 2)[:1])


def test_a_network_with_masks_wants_them_in_its_targets():
    case = DETECTION[-1]
    with pytest.raises(ModelError, match="a target has none"):
        built(case).losses(pictures(case, 1), [objects(case, 2)[0]._replace(masks=None)])


def test_the_families_are_those_of_transformers():
    assert isinstance(built(DETRS[0]).network, transformers.RTDetrForObjectDetection)
