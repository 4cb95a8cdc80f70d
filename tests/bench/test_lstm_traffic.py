"""What `bench.lstm_traffic` counts, by hand for sizes that every tile divides."""

from bench.lstm_traffic import Layer
from tilelang.traffic import Traffic


def test_an_unfused_step_reads_and_writes_its_gates():
    found = Layer(1, 128, 64, 64).unfused_step()
    rows, k, gates = 128, 128, 256
    n_tiles = 2  # of 128 gates each; each reads all of [x, h]
    product = Traffic(read=2 * (n_tiles * rows * k + k * gates), written=4 * rows * gates)
    rest = Traffic(read=4 * (rows * gates + gates + rows * 64), written=(4 + 2) * rows * 64)
    assert found == product + rest


def test_a_sequence_of_one_core_reads_its_weights_once():
    layer = Layer(4, 16, 16, 16)
    names = {tensor.name for tensor in layer.sequence().inputs}
    assert names == {"x", "h", "c", "w", "u", "b"}
