# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks' parts against their equations, and weights files that do not fit."""

import copy

import pytest
import torch
from torch.nn import functional as F

from hffne.cli.main import main
from hffne.errors import HffneError
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.fine import FineNetwork
from hffne.networks.inference import prepare
from hffne.networks.modulation import ModulatedConv
from hffne.networks.paper import PaperFineNetwork
from hffne.networks.prn import PositionMapNetwork
from hffne.networks.successor import SuccessorFineNetwork
from hffne.networks.variants import Variant
from hffne.weights.store import load_weights, save_weights


def test_modulation_follows_equations_4_to_7():
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, 11)
    torch.nn.init.normal_(layer.linear.weight)
    x, z = torch.randn(3, 5, 9, 8), torch.randn(3, 11)
    expected = []
    for one, vector in zip(x, z, strict=True):
        modulated = layer.weight * layer.scale * layer.linear(vector)[None, :, None, None]  # eq. 4
        normed = modulated / torch.sqrt(modulated.square().sum((1, 2, 3), keepdim=True) + layer.eps)  # eq. 5, 6
        expected.append(F.conv2d(one[None], normed, padding=1)[0])  # eq. 7
    assert torch.allclose(layer(x, z), torch.stack(expected), atol=1e-4)
    with torch.no_grad():
        # A single face goes the faster way: the same numbers.
        assert torch.allclose(layer(x[:1], z[:1]), expected[0][None], atol=1e-4)


@pytest.mark.parametrize("kind", [PositionMapNetwork, CoarseNetwork, FineNetwork])
def test_a_prepared_network_computes_the_same(kind):
    torch.manual_seed(2)
    network = kind()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            # As after training: no norm is the identity.
            layer.running_mean.normal_(0, 0.2)
            layer.running_var.uniform_(0.5, 2)
    inputs = [torch.rand(1, 1, 128, 128)] + [F.normalize(torch.randn(1, 3, 128, 128), dim=1)] * (kind is FineNetwork)
    ready = prepare(copy.deepcopy(network), "cpu")
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in ready.modules())
    with torch.inference_mode():
        assert torch.allclose(ready(*inputs), network.eval()(*inputs), atol=1e-4)


def test_outputs_are_unit_normals_of_the_input_size():
    with torch.no_grad():
        coarse = CoarseNetwork().eval()(torch.rand(2, 1, 128, 128))
        fine = FineNetwork().eval()(torch.rand(2, 1, 192, 256), coarse)
    assert coarse.shape == (2, 3, 128, 128) and fine.shape == (2, 3, 192, 256)
    for normal in (coarse, fine):
        assert torch.allclose(normal.norm(dim=1), torch.ones(()), atol=1e-4)


def test_exposure_does_not_change_the_shape():
    torch.manual_seed(1)
    network = PositionMapNetwork().eval()
    gray = torch.rand(1, 1, 128, 128)
    with torch.no_grad():
        bright, dark = network(gray), network(gray * 0.7)
    assert (bright - dark).abs().max() < 0.05 * (bright - network.mean).abs().max()


def test_weights_survive_a_file(tmp_path):
    network = CoarseNetwork()
    save_weights(network, tmp_path / "w.safetensors", {"network": "coarse"})
    again = load_weights(CoarseNetwork(), tmp_path / "w.safetensors")
    for name, value in network.state_dict().items():
        assert torch.allclose(value.float(), again.state_dict()[name].float(), atol=2e-3), name


def test_weights_of_another_network_are_named(tmp_path):
    save_weights(CoarseNetwork(), tmp_path / "w.safetensors", {})
    with pytest.raises(HffneError, match=r"tensor .* is missing"):
        load_weights(PositionMapNetwork(), tmp_path / "w.safetensors")
    with pytest.raises(HffneError, match="missing"):
        load_weights(PositionMapNetwork(), tmp_path / "none.safetensors")


VARIANTS = [
    *(Variant(name) for name in ("A1", "A2", "A3", "attention", "spatial")),
    *(Variant("A3", name) for name in ("adain", "none")),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v.architecture}-{v.modulation}")
@pytest.mark.parametrize("network", [FineNetwork, PaperFineNetwork])
def test_every_variant_listens_to_its_exemplar(network, variant):
    """Unit normals, another result for another exemplar, and no parameter that takes no part."""
    torch.manual_seed(0)
    net = network(variant=variant).train()
    for module in net.modules():  # what starts at zero must be able to learn to matter
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    gray, exemplar = torch.rand(2, 1, 64, 64), F.normalize(torch.randn(2, 3, 64, 64), dim=1)
    normal = net(gray, exemplar)
    assert normal.shape == (2, 3, 64, 64) and torch.allclose(normal.norm(dim=1), torch.ones(()), atol=1e-3)
    assert (net(gray, -exemplar) - normal).abs().max() > 1e-4
    normal[:, 0].sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert not idle, "parameters that take no part would stall training on several devices"


@pytest.mark.parametrize("network", [FineNetwork, PaperFineNetwork])
def test_alone_there_is_no_exemplar(network):
    torch.manual_seed(0)
    net = network(variant=Variant("alone")).eval()
    gray = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        normals = [net(gray, torch.randn(1, 3, 64, 64)) for _ in range(2)]
    assert torch.equal(*normals) and not any("exemplar" in name.lower() for name, _ in net.named_parameters())


def test_the_successors_network():
    """Its published widths, its exemplar, its color, and no parameter that takes no part."""
    torch.manual_seed(0)
    shapes = {name: tuple(p.shape) for name, p in SuccessorFineNetwork().named_parameters()}
    assert shapes["block5.4.weight"] == (512, 512, 3, 3) and shapes["NormFeat.toplayer.weight"] == (256, 64, 1, 1)
    assert shapes["up1.conv_cat.0.weight"] == (512, 640, 1, 1) and shapes["up5.SDFT.weight"] == (1, 64, 64, 3, 3)
    net = SuccessorFineNetwork(8).train()
    face, exemplar = torch.rand(2, 3, 64, 96), F.normalize(torch.randn(2, 3, 64, 64), dim=1)
    normal = net(face, exemplar)
    assert normal.shape == (2, 3, 64, 96) and torch.allclose(normal.norm(dim=1), torch.ones(()), atol=1e-3)
    for other in (net(face, -exemplar), net(face.flip(1), exemplar)):
        assert (other - normal).abs().max() > 1e-4
    normal[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
    gray = face[:, :1]
    assert torch.equal(net.eval()(gray, exemplar), net(gray.repeat(1, 3, 1, 1), exemplar))


def test_a_variant_that_is_not_there():
    with pytest.raises(HffneError, match="A4"):
        Variant("A4")


def test_weights_are_averaged_tensor_by_tensor(tmp_path):
    """`hffne weights average`: the mean of the two, in a file that loads; weights of another network are refused."""
    networks = [CoarseNetwork(), CoarseNetwork()]
    files = [tmp_path / "old.safetensors", tmp_path / "new.safetensors"]
    for network, file in zip(networks, files, strict=True):
        save_weights(network, file, {"network": "coarse"})
    mean = tmp_path / "mean.safetensors"
    assert main(["weights", "average", *map(str, files), "-o", str(mean), "--share", "0.25"]) == 0
    found = load_weights(CoarseNetwork(), mean).state_dict()
    for name, value in found.items():
        old, new = (network.state_dict()[name] for network in networks)
        assert torch.allclose(value.float(), old.float() * 0.75 + new.float() * 0.25, atol=2e-3), name
    other = tmp_path / "other.safetensors"
    save_weights(FineNetwork(), other, {})
    assert main(["weights", "average", str(files[0]), str(other), "-o", str(tmp_path / "no.safetensors")]) == 1
    assert not (tmp_path / "no.safetensors").exists()
