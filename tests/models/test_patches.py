import tracemalloc

import numpy as np
import pytest

from burnish.errors import DataError
from burnish.models.patches import embed_patches, fit_patches, patch_features, suitable_size


def stripes(count, *, across, side=16, seed=0):
    """Pictures of stripes with a random phase, colour and noise, that run across or down."""
    random = np.random.default_rng(seed)
    phase = random.random((count, 1, 1, 1)) * 4
    wave = np.sin((np.arange(side)[:, None] + phase) * np.pi / 2)
    wave = wave if across else wave.transpose(0, 2, 1, 3)
    noise = random.normal(size=(count, side, side, 3))
    return np.clip(128 + 50 * wave * random.random((count, 1, 1, 3)) + 20 * noise, 0, 255).astype(np.uint8)


def noise_pictures(count, side=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_features_tell_patterns_apart_that_have_the_same_colours():
    images = np.concatenate([stripes(40, across=True), stripes(40, across=False, seed=1)])
    features = embed_patches(images, filters=32)[1]
    likeness = (features @ features.T) / np.linalg.norm(features, axis=1) / np.linalg.norm(features, axis=1)[:, None]
    np.fill_diagonal(likeness, -1)
    nearest = likeness.argmax(axis=1)
    assert np.mean((nearest < 40) == (np.arange(80) < 40)) > 0.95


def test_the_same_seed_gives_the_same_features_and_another_seed_others():
    images = noise_pictures(20)
    first, again, other = (embed_patches(images, filters=16, seed=seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_learning_and_describing_in_one_pass_gives_what_the_two_steps_give():
    images = noise_pictures(30)
    filters, features = embed_patches(images, filters=16)
    assert np.allclose(features, patch_features(filters, images), atol=1e-5)
    assert np.allclose(features, patch_features(fit_patches(images, filters=16), images), atol=1e-5)


def test_a_picture_and_its_mirror_image_have_the_same_features():
    images = noise_pictures(12)
    filters = fit_patches(images, filters=16)
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    whole = patch_features(filters, np.concatenate([images, mirrored]))
    flat = np.linalg.norm(whole[:12] - whole[12:], axis=1)
    assert flat.max() < np.linalg.norm(whole[:12] - whole[:12].mean(axis=0), axis=1).min()


def test_blank_pictures_have_finite_features():
    blank = np.zeros((6, 16, 16, 3), np.uint8)
    assert np.isfinite(embed_patches(blank, filters=8)[1]).all()
    mixed = np.concatenate([blank, np.full((2, 16, 16, 3), 255, np.uint8), noise_pictures(10)])
    features = embed_patches(mixed, filters=8)[1]
    assert np.isfinite(features).all()
    assert np.allclose(features[0], features[5], atol=1e-5)


def test_grey_pictures_and_a_single_picture_work():
    grey = np.repeat(noise_pictures(10)[..., :1], 3, axis=3)
    assert np.isfinite(embed_patches(grey, filters=8)[1]).all()
    assert embed_patches(grey[:1], filters=8)[1].shape == (1, 1)


def test_pictures_beyond_the_sample_are_described_like_those_in_it(monkeypatch):
    monkeypatch.setattr("burnish.models.patches._SAMPLED_PICTURES", 20)
    images = noise_pictures(50)
    filters, features = embed_patches(images, filters=8)
    assert features.shape[0] == 50
    assert np.allclose(features, patch_features(filters, images), atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (8, 40), (31, 17)])
def test_any_picture_size_from_eight_pixels_on_works(shape):
    images = np.random.default_rng(0).integers(0, 256, (9, *shape, 3), dtype=np.uint8)
    assert np.isfinite(embed_patches(images, filters=8)[1]).all()


def test_memory_does_not_grow_with_the_maps_of_all_pictures():
    images = noise_pictures(120, side=32)
    filters = fit_patches(images[:20], filters=64)
    tracemalloc.start()
    patch_features(filters, images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # the maps of all would take 120 MB


def test_pictures_that_differ_in_brightness_alone_are_told_apart():
    flat = np.repeat(np.array([60, 200], np.uint8), 10)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    noisy = flat + np.random.default_rng(0).integers(0, 10, flat.shape, dtype=np.uint8)
    features = embed_patches(noisy, filters=8)[1]
    assert np.linalg.norm(features[:10].mean(axis=0) - features[10:].mean(axis=0)) > 0.4


def test_progress_counts_every_picture_once(monkeypatch):
    monkeypatch.setattr("burnish.models.patches._SAMPLED_PICTURES", 20)
    told = []
    embed_patches(noise_pictures(50), filters=8, advance=told.append)
    assert sum(told) == 50


def test_no_pictures_to_describe_give_no_rows():
    filters = fit_patches(noise_pictures(5), filters=8)
    assert patch_features(filters, noise_pictures(0)).shape == (0, filters.basis.shape[1])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 16, 16, 3), np.uint8), "no pictures"),
        (np.zeros((4, 16, 16), np.uint8), "uint8"),
        (np.zeros((4, 16, 16, 3), np.float32), "uint8"),
        (np.zeros((4, 7, 16, 3), np.uint8), "at least 8 x 8"),
    ],
)
def test_what_cannot_be_learned_from_is_said(images, message):
    with pytest.raises(DataError, match=message):
        fit_patches(images, filters=8)


def test_another_picture_size_than_learned_is_refused_with_both_sizes():
    filters = fit_patches(noise_pictures(5), filters=8)
    with pytest.raises(DataError, match=r"20 x 20 pixels.*16 x 16"):
        patch_features(filters, noise_pictures(5, side=20))


def test_small_pictures_keep_their_size_and_large_ones_are_reduced():
    assert suitable_size(32, 32, 3000) == (32, 32)
    assert suitable_size(28, 28, 70_000) == (28, 28)
    assert suitable_size(1080, 1080, 500) == (64, 64)
    assert suitable_size(1080, 1080, 50_000) == (32, 32)
    height, width = suitable_size(1000, 500, 500)
    assert height == pytest.approx(2 * width, abs=1)
    assert suitable_size(3, 2, 10) == (8, 8)
