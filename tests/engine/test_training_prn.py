# SPDX-License-Identifier: GPL-3.0-or-later
"""The position map network's losses: the shape's own term sees the shape, whatever the pose."""

import numpy as np
import pytest
import torch

from hffne.synthesis.sampling import euler
from hffne.training import losses
from hffne.training.recipe import read_recipe
from hffne.training.tasks.prn import PositionTask

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def task():
    return PositionTask(read_recipe("prn", "prn").settings)


def posed(face, yaw=0.0, pitch=0.0, roll=0.0, scale=1.0, place=(0.0, 0.0, 0.0)):
    """A position map (3, U, U), turned, scaled and moved."""
    turned = torch.from_numpy(euler(yaw, pitch, roll)) @ face.flatten(1) * scale
    return (turned + torch.tensor(place)[:, None]).view_as(face)


def person(task, amount):
    """The mean face with a jaw that is longer by `amount` of the face's height."""
    longer = task.constants["mean"].clone()
    longer[1] += amount * longer[1].clamp_min(0)
    return longer


def shape_term(task, ours, truth):
    known = task.constants
    return losses.shape_loss(ours[None], truth[None], known["mean"], known["face"], known["surface_landmarks"]).item()


def test_only_the_pose_is_taken_out(task):
    """Any pose of a face gives the same shape, which keeps what sets the face apart from the mean one."""
    known, face = task.constants, person(task, 0.2)
    poses = [posed(face), posed(face, 70, -20, 10, 0.6, (0.3, -0.1, 2.0)), posed(face, -30, 10, 160, 1.7)]
    shapes = losses.without_pose(torch.stack(poses), known["mean"], known["face"])
    inside = known["face"] > 0
    assert (shapes - shapes[:1])[:, :, inside].abs().max() < 1e-4
    mean = known["mean"] - known["mean"][:, inside].mean(1)[:, None, None]
    assert (shapes[0] - mean)[:, inside].norm(dim=0).max() > 0.05
    plain = losses.without_pose(posed(mean, 50, 5, 5, 0.8)[None], mean, known["face"])[0]
    center = (plain - mean)[:, inside].mean(1)[:, None, None]
    assert (plain - mean - center)[:, inside].abs().max() < 1e-4


def test_a_mirrored_face_is_not_the_same_shape(task):
    """A reflection is no pose."""
    known = task.constants
    hollow = known["mean"] * torch.tensor([1.0, 1.0, -1.0])[:, None, None]
    assert shape_term(task, hollow, known["mean"]) > 0.2


def test_the_shape_term_grows_with_the_difference_and_not_with_the_pose(task):
    truth = person(task, 0.1)
    assert shape_term(task, posed(truth, 25, 5, -8, 1.2), truth) < 1e-4
    little, much = (shape_term(task, person(task, 0.1 + more), truth) for more in (0.02, 0.04))
    assert little > 1e-3 and much == pytest.approx(2 * little, rel=0.1)


def test_gradients_of_the_shape_term_lead_to_the_shape(task):
    """Following them, a mean face in a wrong pose becomes the person, and stays in its pose."""
    known, truth = task.constants, person(task, 0.15)
    start = posed(known["mean"], yaw=20, scale=0.9)
    ours = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([ours], 2e-3)
    first = shape_term(task, ours.detach(), truth)
    for _ in range(60):
        optimizer.zero_grad()
        losses.shape_loss(ours[None], truth[None], known["mean"], known["face"], known["surface_landmarks"]).backward()
        optimizer.step()
    assert shape_term(task, ours.detach(), truth) < 0.3 * first
    moved = losses.pose_loss(ours.detach()[None], start[None], known["mean"])
    assert moved < 0.5 * losses.pose_loss(truth[None], start[None], known["mean"])


def test_the_task_weighs_the_shape_by_its_setting(task):
    truth = torch.stack([person(task, 0.1), posed(person(task, -0.1), 40)])
    batch = {"gray": torch.zeros(2, 1, 128, 128), "position": truth, "second_family": torch.zeros(2)}

    def loss(settings, ours):
        return PositionTask(settings).loss("prn", batch, {"prn": lambda gray: ours})

    recipe = read_recipe("prn", "prn")
    mean = task.constants["mean"].expand(2, -1, -1, -1)
    one, three = (loss(recipe.changed({"settings.shape": weight}).settings, mean) for weight in (1.0, 3.0))
    assert set(one) == {"position", "pose", "shape"} and one["shape"] > 0.01
    assert three["shape"] == pytest.approx(3 * one["shape"].item()) and three["pose"] == one["pose"]
    wrong_pose = torch.stack([posed(t, 15, 10) for t in truth])
    terms = loss(recipe.settings, wrong_pose)
    assert terms["shape"] < 1e-3 < 0.05 < terms["position"]


def test_the_check_tells_the_shape_from_the_points(task):
    """In percent of the crop's side: a face that is only shifted has its points wrong and its shape right."""
    truth = person(task, 0.1)[None]
    batch = {"gray": torch.zeros(1, 1, 128, 128), "position": truth}
    shifted = task.check(batch, {"prn": lambda gray: truth + torch.tensor([0.04, 0.0, 0.0])[:, None, None]})
    assert shifted["points_percent"].item() == pytest.approx(2.0, rel=1e-3)
    assert shifted["shape_percent"].item() < 0.01
    mean = task.check(batch, {"prn": lambda gray: task.constants["mean"][None]})
    assert np.isclose(mean["shape_percent"].item(), 0.5, atol=0.4) and mean["shape_percent"] > 0.1


def test_people_who_are_registered_by_a_few_points_teach_by_these_alone(task):
    """A head turned wrongly counts, what lies beside the points does not; a batch of them alone has no other term."""
    mean = task.constants["mean"]
    beside = mean.clone()
    beside[:, task.constants["face"] == 0] += 5  # the layout's holes
    truth = torch.stack([posed(mean, yaw=70), mean])
    batch = {"gray": torch.rand(2, 1, 128, 128), "position": truth, "second_family": torch.tensor([1.0, 0.0])}

    def terms(first):
        return task.loss("prn", batch, {"prn": lambda gray: torch.stack([posed(first[0], yaw=first[1]), mean])})

    assert terms((mean, 70))["position"] < 1e-4 and terms((beside, 70))["position"] < 1e-4
    little, much = (terms((mean, yaw))["position"].item() for yaw in (65, 60))
    assert 0.01 < little < 0.6 * much
    assert terms((mean, 60))["shape"] < 1e-4 and terms((mean, 60))["pose"] < 1e-4
    batch["second_family"] = torch.tensor([1.0, 1.0])
    assert terms((mean, 60))["shape"] == 0 and terms((mean, 60))["position"] > 0.02
