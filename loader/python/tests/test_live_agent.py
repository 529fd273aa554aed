"""Against a live agent (LUCIOLA_AGENT) that has /corpus, /records and /run."""

import gc
import os
import subprocess
import sys
import unittest

import numpy as np

import luciola
from tests.sample_order import sample_at

AGENT = os.environ.get("LUCIOLA_AGENT")
SEQ = 32


def corpus(**options):
    options = {"batch": 7, "seq_len": SEQ, "seed": 9, **options}
    return luciola.Dataset(AGENT, "/corpus", timeout=60, **options)


@unittest.skipUnless(AGENT, "LUCIOLA_AGENT names no agent")
class TokenBatches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with luciola.AgentFiles(AGENT) as files:
            cls.tokens = np.frombuffer(files.read("/corpus/tokens.bin"), "u1")

    def test_an_epoch_is_every_window_once_in_the_defined_order(self):
        with corpus() as ds:
            self.assertEqual(ds.samples, (len(self.tokens) - 1) // SEQ)
            ids = []
            steps = 0
            for batch in ds:
                steps += 1
                self.assertEqual(batch.dtype, np.uint8)
                self.assertEqual(batch.shape[1], SEQ + 1)
                for row, sample in zip(batch, ds.info.sample_ids.tolist()):
                    window = self.tokens[sample * SEQ : sample * SEQ + SEQ + 1]
                    np.testing.assert_array_equal(row, window)
                    ids.append(sample)
            self.assertEqual(steps, len(ds))
            fingerprint = int(ds.fingerprint, 16)
            order = [sample_at(fingerprint, ds.samples, 9, 0, p) for p in range(ds.samples)]
            self.assertEqual(ids, order)
            self.assertEqual(sorted(ids), list(range(ds.samples)))

    def test_the_next_epoch_has_another_order(self):
        with corpus() as ds:
            epochs = []
            for _ in range(2):
                ids = []
                for _batch in ds:
                    ids += ds.info.sample_ids.tolist()
                epochs.append(ids)
            self.assertNotEqual(epochs[0], epochs[1])
            self.assertEqual(sorted(epochs[0]), sorted(epochs[1]))

    def test_a_state_goes_on_exactly_also_with_two_ranks(self):
        with corpus(batch=8) as ds:
            rest = []
            state = None
            for step, _batch in enumerate(ds):
                if step == 5:
                    state = ds.state_dict()
                elif step > 5:
                    rest += ds.info.sample_ids.tolist()
            ds.load_state_dict(state)
            again = []
            for _batch in ds:
                again += ds.info.sample_ids.tolist()
            self.assertEqual(rest, again)
        ranks = [corpus(batch=4, rank=rank, world=2) for rank in range(2)]
        for ds in ranks:
            ds.load_state_dict(state)
        both = []
        for _pair in zip(*ranks):
            for ds in ranks:
                both += ds.info.sample_ids.tolist()
        self.assertEqual(rest, both)
        for ds in ranks:
            ds.close()

    def test_batches_are_views_of_shared_memory_and_return_their_slot_when_the_last_view_dies(self):
        with corpus(slots=2, batch=2) as ds:
            first = next(iter(ds))
            view = first[1:, ::2]
            kept = first.copy()
            del first
            second = next(ds)
            self.assertFalse(view.flags.owndata)
            self.assertEqual(ds._connection.held, 2)
            del second
            gc.collect()
            self.assertEqual(ds._connection.held, 1)
            for _ in range(5):
                next(ds)
            np.testing.assert_array_equal(view, kept[1:, ::2])
            del view
            gc.collect()
            self.assertEqual(ds._connection.held, 0)

    def test_holding_every_slot_is_an_error_that_says_so(self):
        with luciola.Dataset(AGENT, "/corpus", batch=2, seq_len=SEQ, slots=2, timeout=0.5) as ds:
            held = [next(ds), next(ds)]
            with self.assertRaisesRegex(luciola.Error, "2 of 2 slots are held"):
                next(ds)
            self.assertEqual(len(held), 2)

    def test_arrays_outlive_the_dataset(self):
        ds = corpus()
        batch = next(ds)
        kept = batch.copy()
        ds.close()
        np.testing.assert_array_equal(batch, kept)
        with self.assertRaisesRegex(ValueError, "closed"):
            next(ds)

    def test_the_last_batch_follows_the_policy(self):
        rows = {}
        for policy in ("short", "drop", "pad"):
            with corpus(last_batch=policy) as ds:
                shapes = []
                for batch in ds:
                    shapes.append((batch.shape[0], ds.info.valid_rows))
                rows[policy] = shapes[-1]
                samples = ds.samples
        rest = samples % 7
        self.assertNotEqual(rest, 0)
        self.assertEqual(rows, {"short": (rest, rest), "drop": (7, 7), "pad": (7, rest)})

    def test_records_come_as_arrays_of_their_own_size(self):
        with luciola.AgentFiles(AGENT) as files:
            names = [e["name"] for e in files.list("/records")]
        self.assertIn("dataset.json", names)
        with luciola.Dataset(AGENT, "/records", batch=7, seed=1) as ds:
            seen = {}
            for records in ds:
                for record, sample in zip(records, ds.info.sample_ids.tolist()):
                    seen[sample] = bytes(record)
            self.assertEqual(len(seen), ds.samples)
        whole = b"".join(seen[i] + b"\0" for i in range(len(seen)))
        self.assertEqual(whole, self.tokens.tobytes())

    def test_what_is_wrong_is_said(self):
        with self.assertRaisesRegex(FileNotFoundError, "/nowhere"):
            luciola.Dataset(AGENT, "/nowhere", batch=1)
        with self.assertRaisesRegex(luciola.AgentUnavailable, "no agent listens there"):
            luciola.Dataset("/nonexistent/agent.sock", "/corpus", batch=1)
        with self.assertRaisesRegex(ValueError, "batch must be"):
            corpus(batch=0)
        with self.assertRaisesRegex(ValueError, "short, drop or pad"):
            corpus(last_batch="maybe")
        with corpus() as ds:
            state = ds.state_dict()
            with self.assertRaisesRegex(luciola.WrongPosition, "not a position"):
                ds.load_state_dict({"position": "nonsense"})
            with self.assertRaises(luciola.WrongPosition):
                ds.load_state_dict({})
            next(ds)
        with corpus(seq_len=SEQ + 1) as ds:
            with self.assertRaisesRegex(luciola.WrongPosition, "another dataset"):
                ds.load_state_dict(state)
            next(ds)

    def test_a_killed_trainer_does_not_disturb_others(self):
        code = (
            "import os, sys, time, luciola\n"
            "ds = luciola.Dataset(os.environ['LUCIOLA_AGENT'], '/corpus', batch=2, seq_len=32)\n"
            "held = [next(ds), next(ds)]\n"
            "print('ready', flush=True)\n"
            "time.sleep(600)\n"
        )
        with corpus() as ds:
            child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
            self.assertEqual(child.stdout.readline(), b"ready\n")
            child.kill()
            child.wait()
            child.stdout.close()
            for _batch in ds:
                pass
            self.assertTrue(ds.info.ends_epoch)


@unittest.skipUnless(AGENT, "LUCIOLA_AGENT names no agent")
class Checkpoints(unittest.TestCase):
    def expect(self, tensors):
        self.assertEqual(sorted(tensors), ["bias", "empty", "half", "weight"])
        np.testing.assert_array_equal(
            tensors["weight"], np.arange(3000 * 700, dtype="f4").reshape(3000, 700)
        )
        np.testing.assert_array_equal(tensors["bias"], np.float32([0.5]))
        self.assertEqual(tensors["empty"].shape, (0, 4))

    def test_a_file_a_checkpoint_and_the_newest_of_several(self):
        for path in ("/run/step-00000010/model.safetensors", "/run/step-00000010", "/run/"):
            self.expect(luciola.load_checkpoint(AGENT, path))

    def test_bfloat16_as_bits_or_values(self):
        bits = luciola.load_checkpoint(AGENT, "/run")["half"]
        np.testing.assert_array_equal(bits, np.uint16([0x3F80, 0xC000, 0x4049]))
        values = luciola.load_checkpoint(AGENT, "/run", bfloat16="float32")["half"]
        np.testing.assert_array_equal(values, np.float32([1.0, -2.0, 3.140625]))

    def test_the_tensors_are_ones_own(self):
        tensors = luciola.load_checkpoint(AGENT, "/run")
        tensors["weight"][0, 0] = 7
        self.expect(luciola.load_checkpoint(AGENT, "/run"))

    def test_what_is_wrong_is_said(self):
        with self.assertRaisesRegex(luciola.NotFound, "/run/none"):
            luciola.load_checkpoint(AGENT, "/run/none")
        with self.assertRaisesRegex(luciola.NotFound, "other.safetensors"):
            luciola.load_checkpoint(AGENT, "/corpus", file="other.safetensors")
        with self.assertRaisesRegex(luciola.CorruptData, "/corpus/tokens.bin"):
            luciola.load_checkpoint(AGENT, "/corpus/tokens.bin")

    def test_files_and_directories(self):
        with luciola.AgentFiles(AGENT) as files:
            whole = files.read("/corpus/tokens.bin")
            self.assertEqual(files.stat("/corpus/tokens.bin")["length"], len(whole))
            self.assertEqual(files.read("/corpus/tokens.bin", 100, 50), whole[100:150])
            self.assertEqual(files.read("/corpus/tokens.bin", len(whole) - 5, 50), whole[-5:])
            self.assertEqual(files.read("/corpus/tokens.bin", len(whole) + 5, 50), b"")
            with self.assertRaises(FileNotFoundError):
                files.read("/corpus/none")
            self.assertEqual(files.stat("/corpus")["type"], "directory")


if __name__ == "__main__":
    unittest.main()
