"""What one architecture is tested for in the name of others it must share with them."""

from shared.layers import ARCHITECTURES, layer_class
from shared.layers.lstm import LSTM
from tests.layers import kinds, test_battery, test_conv_battery


def test_every_architecture_has_the_loop_of_one_that_stands_for_it():
    found = kinds.kinds()
    assert sorted(arch for alike in found for arch in alike) == sorted(ARCHITECTURES)
    standing = [*test_battery.STANDING, *test_conv_battery.STANDING]
    assert [[arch for arch in alike if arch in standing] for alike in found] == [alike[:1] for alike in found]


def test_who_overrides_a_part_of_the_loop_stands_for_itself():
    for method in kinds.LOOP:
        assert kinds.kind(type("Other", (LSTM,), {method: None})) != kinds.kind(LSTM)


def test_every_method_of_a_layer_is_known_to_be_of_the_loop_or_of_the_maths():
    """A new one must be put into `LOOP` or into `MATHS`, else an architecture could differ unseen."""
    ours = {
        base for arch in ARCHITECTURES for base in layer_class(arch).__mro__ if base.__module__.startswith("shared.")
    }
    methods = {
        name
        for base in ours
        for name, value in vars(base).items()
        if name != "cell_class" and (callable(value) or isinstance(value, (property, classmethod)))
    }
    assert methods == {*kinds.LOOP, *kinds.MATHS}
