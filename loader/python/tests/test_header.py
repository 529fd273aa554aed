"""Headers of safetensors files, without an agent."""

import json
import unittest

import luciola
from luciola.checkpoint import parse_header


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


class Headers(unittest.TestCase):
    def assert_corrupt(self, header, data_bytes):
        text = header if isinstance(header, str) else json.dumps(header)
        with self.assertRaisesRegex(luciola.CorruptData, "path=/x"):
            parse_header(text, data_bytes, "/x")

    def test_scalars_and_empty_tensors_are_fine(self):
        header = {"a": entry("F32", [], 0, 4), "b": entry("I8", [0, 3], 4, 4), "__metadata__": {"k": "v"}}
        places = parse_header(json.dumps(header) + "   ", 4, "/x")
        self.assertEqual(places["a"], ("F32", (), 0, 4))
        self.assertEqual(places["b"], ("I8", (0, 3), 4, 4))

    def test_holes_overlaps_and_wrong_sizes_are_refused(self):
        self.assert_corrupt({"a": entry("F32", [1], 4, 8)}, 8)
        self.assert_corrupt({"a": entry("U8", [8], 0, 8), "b": entry("U8", [8], 4, 12)}, 12)
        self.assert_corrupt({"a": entry("F32", [2], 0, 4)}, 4)
        self.assert_corrupt({"a": entry("U8", [4], 0, 4)}, 5)
        self.assert_corrupt({"a": entry("U8", [-4], 0, 4)}, 4)
        self.assert_corrupt('{"a": 1}', 0)
        self.assert_corrupt("{", 0)
        self.assert_corrupt("[]", 0)
        double = '{"a": %s, "a": %s}' % ((json.dumps(entry("U8", [1], 0, 1)),) * 2)
        self.assert_corrupt(double, 1)

    def test_an_unknown_type_is_named(self):
        with self.assertRaisesRegex(luciola.Error, "dtype=F4"):
            parse_header(json.dumps({"a": entry("F4", [2], 0, 1)}), 1, "/x")


if __name__ == "__main__":
    unittest.main()
