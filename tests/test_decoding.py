"""Reading, sampling and scoring against the same loops written by hand in NumPy, on the backend in use."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import ops
from scipy import stats

from shared import InputError
from shared.decoding import Decoder, Rule, choose, score

VOCABULARY, UNITS = 11, 8


class TinyModel:
    """h' = tanh(embedding[token] + h recurrent), logits = h' output; in Keras and in NumPy."""

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        shapes = {
            "embedding": (VOCABULARY, UNITS),
            "recurrent": (UNITS, UNITS),
            "output": (UNITS, VOCABULARY),
        }
        self.values = {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
        self.variables = {name: keras.Variable(value) for name, value in self.values.items()}
        self.traced = 0

    def step(self, tokens, states):
        self.traced += 1
        weights = self.variables
        h = ops.take(weights["embedding"], tokens, axis=0) + ops.matmul(states[0], weights["recurrent"])
        h = ops.tanh(h)
        return ops.matmul(h, weights["output"]), [h]

    def numpy_step(self, tokens, h):
        h = np.tanh(self.values["embedding"][tokens] + h @ self.values["recurrent"])
        return h @ self.values["output"], h

    def numpy_read(self, ids, h):
        """Logits after every token (batch, time, vocabulary), and the last state."""
        logits = []
        for tokens in np.asarray(ids).T:
            found, h = self.numpy_step(tokens, h)
            logits.append(found)
        return np.stack(logits, axis=1), h

    def decoder(self):
        return Decoder(self.step, list(self.variables.values()), VOCABULARY)


# One of each for all tests that leave the weights alone: compiling takes most of the time here.
@pytest.fixture(name="model", scope="module")
def tiny_model():
    return TinyModel()


@pytest.fixture(name="decoder", scope="module")
def tiny_decoder(model):
    return model.decoder()


def zeros(batch=1):
    return np.zeros((batch, UNITS), "float32")


def text(decoder, length=20, batch=2, **options):
    logits, states = decoder.read([[1, 2, 3]] * batch, [zeros(batch)])
    return np.concatenate(list(decoder.sample(logits, states, length, **options)), axis=1)


def numpy_filtered(logits, temperature, top_k, top_p):
    """(tokens, probabilities) of one row in float64, in the order in which they are drawn."""
    tokens = np.arange(len(logits))
    if top_k or top_p < 1:
        tokens = np.argsort(-logits, kind="stable")[: top_k or None]
    weights = np.exp((logits[tokens] - logits.max()).astype("float64") / temperature)
    probabilities = weights / weights.sum()
    kept = np.cumsum(probabilities) - probabilities < top_p
    return tokens[kept], probabilities[kept] / probabilities[kept].sum()


def choose_row(logits, uniform, *, temperature=1.0, top_k=0, top_p=1.0):
    rule = Rule(top_k=top_k, nucleus=top_p < 1)
    logits, uniform = np.array([logits], "float32"), np.array([uniform], "float32")
    arguments = (ops.convert_to_tensor(value) for value in (logits, uniform))
    return int(ops.convert_to_numpy(choose(*arguments, rule, temperature, top_p))[0])


@pytest.mark.parametrize("length", range(1, 10))
def test_a_prompt_is_read_as_by_a_loop_over_its_tokens(model, decoder, length):
    ids = np.random.default_rng(length).integers(0, VOCABULARY, (3, length))
    expected, expected_state = model.numpy_read(ids, zeros(3))
    logits, (state,) = decoder.read(ids, [zeros(3)])
    np.testing.assert_allclose(ops.convert_to_numpy(logits), expected[:, -1], atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(state), expected_state, atol=1e-5)


def test_a_prompt_read_in_two_parts_equals_the_whole(decoder):
    ids = [[1, 2, 3, 4, 5, 6, 7]]
    whole, _ = decoder.read(ids, [zeros()])
    _, states = decoder.read([ids[0][:3]], [zeros()])
    parts, _ = decoder.read([ids[0][3:]], states)
    np.testing.assert_allclose(ops.convert_to_numpy(parts), ops.convert_to_numpy(whole), atol=1e-6)


def test_prompts_of_5_to_8_tokens_share_one_program():
    model = TinyModel()
    decoder = model.decoder()
    decoder.read([[1] * 5], [zeros()])
    traced = model.traced
    for length in (6, 7, 8):
        decoder.read([[1] * length], [zeros()])
    assert model.traced == traced


def test_greedy_text_equals_an_argmax_loop(model, decoder):
    logits, h = model.numpy_read([[1, 2, 3]], zeros())
    logits, expected = logits[:, -1], []
    for _ in range(20):
        expected.append(logits.argmax(axis=-1))
        logits, h = model.numpy_step(expected[-1], h)
    np.testing.assert_array_equal(text(decoder, batch=1, temperature=0), np.stack(expected, axis=1))


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.7}, {"top_k": 4}, {"top_p": 0.8}, {"top_k": 5, "top_p": 0.7}]
)
def test_sampled_text_equals_a_numpy_loop_with_the_same_random_numbers(model, decoder, options):
    options = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | options
    random = np.random.Generator(np.random.Philox(7))
    logits, h = model.numpy_read([[1, 2, 3]] * 2, zeros(2))
    logits, expected = logits[:, -1], []
    for uniforms in random.random((50, 2), dtype=np.float32):
        rows = [numpy_filtered(row, **options) for row in logits]
        drawn = [
            tokens[(np.cumsum(probabilities) > uniform).argmax()]
            for (tokens, probabilities), uniform in zip(rows, uniforms, strict=True)
        ]
        expected.append(np.array(drawn))
        logits, h = model.numpy_step(expected[-1], h)
    np.testing.assert_array_equal(text(decoder, 50, seed=7, **options), np.stack(expected, axis=1))


@settings(deadline=None, max_examples=150)
@given(
    # Quarters, so that equal logits are frequent; few sizes, since each is compiled anew.
    logits=st.sampled_from([2, 3, 7, 12]).flatmap(
        lambda size: st.lists(st.integers(-20, 20).map(lambda i: i / 4), min_size=size, max_size=size)
    ),
    uniform=st.floats(0, 1, exclude_max=True, width=32),
    temperature=st.sampled_from([0.3, 1.0, 2.5]),
    top_k=st.sampled_from([0, 1, 2, 5, 12]),
    top_p=st.sampled_from([0.05, 0.3, 0.5, 0.9, 0.99, 1.0]),
)
def test_a_choice_inverts_the_filtered_distribution(logits, uniform, temperature, top_k, top_p):
    top_k = min(top_k, len(logits))
    row = np.array(logits, "float32")
    tokens, probabilities = numpy_filtered(row, temperature, top_k, top_p)
    _, unfiltered = numpy_filtered(row, temperature, top_k or len(row), 1.0)
    # Where float32 and float64 may fall on two sides of a boundary, nothing is claimed.
    assume(np.abs(np.cumsum(unfiltered)[:-1] - top_p).min(initial=1) > 1e-5)
    assume(np.abs(np.cumsum(probabilities)[:-1] - uniform).min(initial=1) > 1e-5)
    expected = tokens[(np.cumsum(probabilities) > uniform).argmax()]
    found = choose_row(logits, uniform, temperature=temperature, top_k=top_k, top_p=top_p)
    assert found == expected


@pytest.mark.parametrize("top_p", [0.05, 0.35, 0.6, 0.85, 0.97])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p):
    logits = np.array([0.3, 2.0, -1.0, 1.1, 0.9, -0.4], "float32")
    probabilities = np.exp(logits) / np.exp(logits).sum()
    sets = itertools.chain.from_iterable(itertools.combinations(range(6), size) for size in range(1, 7))
    enough = [chosen for chosen in sets if probabilities[list(chosen)].sum() >= top_p]
    smallest = max(
        (chosen for chosen in enough if len(chosen) == len(enough[0])),
        key=lambda chosen: probabilities[list(chosen)].sum(),
    )
    grid = (np.arange(400) / 400).astype("float32")
    rows = ops.convert_to_tensor(np.tile(logits, (400, 1)))
    drawn = choose(rows, ops.convert_to_tensor(grid), Rule(nucleus=True), 1.0, top_p)
    assert set(ops.convert_to_numpy(drawn).tolist()) == set(smallest)


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"temperature": 2.0}, {"top_k": 3}, {"top_p": 0.8}])
def test_tokens_come_as_often_as_their_probability_says(options):
    logits = np.array([1.0, -0.5, 0.0, 2.0, 0.7, -1.2], "float32")
    repeating = Decoder(lambda tokens, states: (states[0], states), [], 6)
    rows = np.tile(logits, (2000, 1))
    drawn = np.concatenate(list(repeating.sample(rows, [rows], 10, seed=3, **options)), axis=None)
    settings_ = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | options
    tokens, probabilities = numpy_filtered(logits, **settings_)
    counts = np.bincount(drawn, minlength=6)
    assert counts.sum() == counts[tokens].sum() == 20_000
    assert stats.chisquare(counts[tokens], 20_000 * probabilities).pvalue > 0.001


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-24])
@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_the_extreme_random_numbers_never_draw_an_impossible_token(uniform, top_p):
    random = np.random.default_rng(0)
    logits = np.where(random.random((200, 999)) < 0.9, -np.inf, random.normal(size=(200, 999)))
    logits[:, 500] = 0
    uniforms = ops.convert_to_tensor(np.full(200, uniform, "float32"))
    rule = Rule(nucleus=top_p < 1)
    drawn = choose(ops.convert_to_tensor(logits, "float32"), uniforms, rule, 1.0, top_p)
    assert np.isfinite(np.take_along_axis(logits, ops.convert_to_numpy(drawn)[:, None], axis=1)).all()


@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"top_p": 0.8}, {"temperature": 0}])
def test_the_chunk_size_does_not_change_the_text(decoder, options):
    whole = text(decoder, seed=5, **options)
    for chunk in (1, 7, 20):
        np.testing.assert_array_equal(text(decoder, seed=5, chunk=chunk, **options), whole)


def test_chunks_come_one_by_one_and_the_last_may_be_shorter(decoder):
    logits, states = decoder.read([[1], [2]], [zeros(2)])
    chunks = decoder.sample(logits, states, 10, chunk=4)
    assert [(chunk.shape, chunk.dtype) for chunk in chunks] == [
        ((2, 4), "int32"), ((2, 4), "int32"), ((2, 2), "int32")
    ]  # fmt: skip
    assert list(decoder.sample(logits, states, 0)) == []


def test_the_same_seed_writes_the_same_text_and_another_seed_another(decoder):
    first, again, other = (text(decoder, 60, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[0] != first[1]).any(), "rows of a batch draw their own numbers"


def test_top_k_of_one_is_greedy_also_between_equals(decoder):
    np.testing.assert_array_equal(text(decoder, top_k=1), text(decoder, temperature=0))
    tied = np.array([[0.0, 2.0, 1.0, 2.0]], "float32")
    flat = Decoder(lambda tokens, states: (states[0], states), [], 4)
    for options in ({"top_k": 1}, {"temperature": 0}, {"top_p": 1e-6}):
        (drawn,) = flat.sample(tied, [tied], 5, **options)
        np.testing.assert_array_equal(drawn, np.ones((1, 5)))


def test_a_tiny_temperature_is_greedy_and_does_not_overflow(decoder):
    np.testing.assert_array_equal(text(decoder, temperature=2e-6), text(decoder, temperature=0))


def test_top_k_beyond_the_vocabulary_filters_nothing(decoder):
    np.testing.assert_array_equal(text(decoder, top_k=99), text(decoder))


@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"top_p": 0.9}, {"temperature": 0}])
def test_banned_tokens_are_never_written(decoder, options):
    written = text(decoder, 200, banned=range(9), **options)
    assert set(np.unique(written).tolist()) <= {9, 10}


@pytest.mark.parametrize("chunk", [1, 4, 8, 1024])
def test_nats_equal_a_hand_loop_whatever_the_chunk(model, decoder, chunk):
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (2, 9))
    logits, _ = model.numpy_read(ids, zeros(2))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = -np.log(np.take_along_axis(probabilities[:, :-1], ids[:, 1:, None], axis=-1)[..., 0])
    found = decoder.nats(ids, [zeros(2)], chunk=chunk)
    assert found.shape == (2, 8)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_text_of_one_token_has_no_nats(decoder):
    assert decoder.nats([[3]], [zeros()]).shape == (1, 0)


def test_score_is_the_negative_log_softmax_of_the_target():
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(2, 5, 7)), random.integers(0, 7, (2, 5))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = -np.log(np.take_along_axis(softmax, targets[..., None], axis=-1)[..., 0])
    found = score(ops.convert_to_tensor(logits, "float32"), ops.convert_to_tensor(targets))
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)


def test_the_weights_in_use_are_those_at_the_time_of_the_call():
    model = TinyModel()
    decoder = model.decoder()
    before = text(decoder, temperature=0)
    model.values = TinyModel(seed=1).values
    for name, variable in model.variables.items():
        variable.assign(model.values[name])
    after = text(decoder, temperature=0)
    assert (after != before).any()
    logits, _ = model.numpy_read([[1, 2, 3]], zeros())
    np.testing.assert_array_equal(after[:, 0], np.repeat(logits[:, -1].argmax(axis=-1), 2))


def test_states_keep_their_own_dtype(model):
    def half_step(tokens, states):
        logits, (h,) = model.step(tokens, [ops.cast(states[0], "float32")])
        return ops.cast(logits, "float16"), [h]

    half = Decoder(half_step, list(model.variables.values()), VOCABULARY)
    logits, (state,) = half.read([[1, 2, 3]], [zeros().astype("float16")])
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert keras.backend.standardize_dtype(state.dtype) == "float16"
    (written,) = half.sample(logits, [state], 5)
    assert written.shape == (1, 5)


@pytest.mark.parametrize(
    "name, value",
    [("length", -1), ("temperature", -0.1), ("temperature", float("nan")), ("temperature", float("inf")),
     ("top_k", -1), ("top_p", 0.0), ("top_p", 1.5), ("seed", -1), ("chunk", 0)],
)  # fmt: skip
def test_a_setting_out_of_range_is_named_before_anything_is_sampled(decoder, name, value):
    with pytest.raises(InputError, match=f"`{name}` must be .* Received: {name}={value}"):
        decoder.sample(np.zeros((1, VOCABULARY)), [zeros()], **({"length": 5} | {name: value}))


@pytest.mark.parametrize("banned", [[-1], [0, VOCABULARY]])
def test_a_banned_token_outside_the_vocabulary_is_refused(decoder, banned):
    with pytest.raises(InputError, match=r"banned tokens in \[0, 11\)"):
        decoder.sample(np.zeros((1, VOCABULARY)), [zeros()], 5, banned=banned)


def test_banning_every_token_is_refused(decoder):
    with pytest.raises(InputError, match="leave at least one"):
        decoder.sample(np.zeros((1, VOCABULARY)), [zeros()], 5, banned=range(VOCABULARY))


@pytest.mark.parametrize("ids", [[1, 2], [[]], [[0.5]]])
def test_ids_of_another_shape_are_refused(decoder, ids):
    for use in (decoder.read, decoder.nats):
        with pytest.raises(InputError, match=r"Expected token ids of shape \(batch, time\)"):
            use(ids, [zeros()])


@pytest.mark.parametrize("ids", [[[1, VOCABULARY]], [[-1, 3]]])
def test_ids_outside_the_vocabulary_are_refused(decoder, ids):
    for use in (decoder.read, decoder.nats):
        with pytest.raises(InputError, match=r"Expected token ids in \[0, 11\)"):
            use(ids, [zeros()])


def test_a_chunk_of_nothing_is_refused_for_nats(decoder):
    with pytest.raises(InputError, match="`chunk` must be at least 1"):
        decoder.nats([[1, 2]], [zeros()], chunk=0)


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"top_k": 2}, {"top_p": 0.5}])
def test_a_diverged_model_is_reported_not_sampled(options):
    model = TinyModel()
    model.variables["output"].assign(np.full((UNITS, VOCABULARY), np.nan, "float32"))
    with pytest.raises(InputError, match="training has diverged"):
        text(model.decoder(), **options)
