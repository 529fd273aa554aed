"""What a training program does with files: checkpoints saved and loaded again, data read by workers.

torch_cases.py save DIRECTORY LOCAL    checkpoints in both, and data in the first
torch_cases.py check DIRECTORY LOCAL   in another process: what is in both is the same; prints what was compared
"""

import inspect
import os
import sys

import numpy
import torch

SAMPLES, WIDTH = 3000, 257


def state(model, optimizer, step):
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}


def train(model, optimizer):
    optimizer.zero_grad()
    model(torch.randn(4, 1024)).square().mean().backward()
    optimizer.step()


def save(directory, local):
    torch.manual_seed(7)
    model = torch.nn.Sequential(torch.nn.Linear(1024, 2048), torch.nn.ReLU(), torch.nn.Linear(2048, 1024))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(model, optimizer)
    for where in (directory, local):
        torch.save(state(model, optimizer, 1), f"{where}/first.pt")
        torch.save(state(model, optimizer, 1), f"{where}/over.pt")
        torch.save(state(model, optimizer, 1), f"{where}/renamed.pt")
        torch.save(torch.arange(SAMPLES), f"{where}/old.pt", _use_new_zipfile_serialization=False)
    before = open(f"{directory}/renamed.pt", "rb")
    train(model, optimizer)
    for where in (directory, local):
        torch.save(state(model, optimizer, 2), f"{where}/over.pt")
        with open(f"{where}/renamed.pt.part", "wb") as part:
            torch.save(state(model, optimizer, 2), part)
            part.flush()
            os.fsync(part.fileno())
        os.replace(f"{where}/renamed.pt.part", f"{where}/renamed.pt")
    # Who had the old one open reads it to its end.
    assert torch.load(before)["step"] == 1
    # A smaller one over a larger one leaves nothing of it.
    for where in (directory, local):
        torch.save(torch.ones(1 << 20), f"{where}/shrunk.pt")
        torch.save(torch.ones(3), f"{where}/shrunk.pt")
    assert os.path.getsize(f"{directory}/shrunk.pt") == os.path.getsize(f"{local}/shrunk.pt")
    numpy.arange(SAMPLES * WIDTH, dtype=numpy.float32).tofile(f"{directory}/data")
    # A tensor whose memory is a file's.
    mapped = torch.from_file(f"{directory}/mapped", shared=True, size=100_000)
    mapped.copy_(torch.arange(100_000, dtype=torch.float32))


def same(a, b):
    """Compares two states; returns how many bytes of tensors are in them."""
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a, b)
        return a.numel() * a.element_size()
    if isinstance(a, dict):
        assert list(a) == list(b)
        return sum(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        return sum(same(x, y) for x, y in zip(a, b))
    assert a == b
    return 0


class Samples(torch.utils.data.Dataset):
    """Each worker opens the file for itself."""

    def __init__(self, path):
        self.path = path
        self.file = None

    def __len__(self):
        return SAMPLES

    def __getitem__(self, i):
        if self.file is None:
            self.file = open(self.path, "rb", buffering=0)
        bytes_of_one = 4 * WIDTH
        data = os.pread(self.file.fileno(), bytes_of_one, i * bytes_of_one)
        return i, os.getpid(), torch.frombuffer(bytearray(data), dtype=torch.float32)


class MappedSamples(Samples):
    def __getitem__(self, i):
        if self.file is None:
            self.file = numpy.memmap(self.path, dtype=numpy.float32, mode="r", shape=(SAMPLES, WIDTH))
        return i, os.getpid(), torch.from_numpy(numpy.array(self.file[i]))


def read_by_workers(dataset):
    workers, seen = set(), set()
    loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=2)
    for of, by, samples in loader:
        for i, worker, sample in zip(of.tolist(), by.tolist(), samples):
            first = torch.arange(i * WIDTH, (i + 1) * WIDTH, dtype=torch.float32)
            assert torch.equal(sample, first), i
            workers.add(worker)
            seen.add(i)
    assert seen == set(range(SAMPLES)) and os.getpid() not in workers
    return len(workers)


def check(directory, local):
    ways = [{}]
    if "mmap" in inspect.signature(torch.load).parameters:
        ways.append({"mmap": True})
    for way in ways:
        for name, step in (("first", 1), ("over", 2), ("renamed", 2)):
            here = torch.load(f"{directory}/{name}.pt", **way)
            there = torch.load(f"{local}/{name}.pt")
            assert here["step"] == step
            print(name, same(here, there) >> 20, "MiB")
    print("old", same(torch.load(f"{directory}/old.pt"), torch.arange(SAMPLES)))
    print("shrunk", same(torch.load(f"{directory}/shrunk.pt"), torch.ones(3)))
    mapped = torch.from_file(f"{directory}/mapped", shared=False, size=100_000)
    assert torch.equal(mapped, torch.arange(100_000, dtype=torch.float32))
    for dataset in (Samples, MappedSamples):
        print("workers", read_by_workers(dataset(f"{directory}/data")))


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"save": save, "check": check}[sys.argv[1]](*sys.argv[2:])
