#!/usr/bin/env python3
"""Seconds per epoch of iALS: ours beside `implicit` and `irspack`, on the same file, in the same run.

  benchmarks/peers/compare.py [--build build/release] [--data FOLDER] [--factors 64,128]
                              [--rounds 3] [--epochs 3] [--threads 2]

The peers are installed from PyPI into a virtual environment in the build folder, which is made when
it is not there. In a round, each contender in turn trains for some epochs in a process of its own;
printed are the median of all its epochs (of ours, of the rounds' medians), the least and the most,
the ratio to our solver of the same kind, and, where it minimises the same loss, the loss at the end.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys

PEERS = ["implicit==0.7.3", "irspack==0.5.2"]
UNOBSERVED_WEIGHT = 0.01
REGULARIZATION = 0.0045786

# Contender: which of our solvers it is compared with.
CONTENDERS = {
    "ours exact": "ours exact",
    "ours cg": "ours cg",
    "ours ials++": "ours ials++",
    "irspack cholesky": "ours exact",
    "irspack cg": "ours cg",
    "irspack ials++": "ours ials++",
    "implicit exact": "ours exact",
    "implicit cg": "ours cg",
}


def make_environment(build):
    python = build / "peers-venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(build / "peers-venv")], check=True)
    wanted = subprocess.run([str(python), "-c", "import implicit, irspack"], capture_output=True)
    if wanted.returncode != 0:
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
        if subprocess.run(install).returncode != 0:
            sys.exit("The peers cannot be installed: PyPI is not reachable, or has no build of "
                     f"{', '.join(PEERS)} for this Python ({sys.version.split()[0]}). Nothing was measured.")
    return python


# --- In the environment: one peer, one training ---

def read_matrix(path):
    import numpy
    import scipy.sparse
    text = subprocess.run(["zstd", "-dcfq", path], check=True, capture_output=True, text=True).stdout
    rows, columns = [], []
    for line in text.splitlines():
        person, *products = map(int, line.split())
        rows += [person] * len(products)
        columns += products
    ones = numpy.ones(len(rows), dtype=numpy.float32)
    return scipy.sparse.csr_matrix((ones, (rows, columns)))


def loss_of(matrix, persons, products):
    import numpy
    persons, products = (numpy.asarray(side, dtype=numpy.float64) for side in (persons, products))
    cells = matrix.tocoo()
    misses = 1 - numpy.einsum("ij,ij->i", persons[cells.row], products[cells.col])
    loss = (misses ** 2).sum()
    loss += UNOBSERVED_WEIGHT * ((persons.T @ persons) * (products.T @ products)).sum()
    for side, degrees, others in ((persons, matrix.getnnz(axis=1), len(products)),
                                  (products, matrix.getnnz(axis=0), len(persons))):
        strength = REGULARIZATION * (degrees + UNOBSERVED_WEIGHT * others)
        loss += (strength * (side ** 2).sum(axis=1)).sum()
    return loss


def run_irspack(matrix, solver, options):
    import time
    from irspack.recommenders import ials
    kinds = {"cholesky": ials.SolverType.CHOLESKY, "cg": ials.SolverType.CG, "ials++": ials.SolverType.IALSPP}
    trainer = ials.IALSTrainer(
        matrix, n_components=options.factors, alpha0=UNOBSERVED_WEIGHT, reg=REGULARIZATION, nu=1.0,
        init_std=0.1, solver_type=kinds[solver], max_cg_steps=3, ialspp_subspace_dimension=64,
        loss_type=ials.LossType.IALSPP, random_seed=1, n_threads=options.threads,
        prediction_time_max_cg_steps=3, prediction_time_ialspp_iteration=1)
    for _ in range(options.epochs):
        start = time.perf_counter()
        trainer.run_epoch()
        print(time.perf_counter() - start)
    core = trainer.core_trainer
    print("loss", loss_of(matrix, core.user, core.item))


def run_implicit(matrix, solver, options):
    import threadpoolctl
    from implicit.cpu.als import AlternatingLeastSquares
    # Its loss weighs and regularises otherwise; the work of an epoch is the same.
    with threadpoolctl.threadpool_limits(1, "blas"):  # as it asks for
        model = AlternatingLeastSquares(factors=options.factors, alpha=1.0, regularization=REGULARIZATION,
                                        use_cg=solver == "cg", iterations=options.epochs,
                                        num_threads=options.threads, random_state=1)
        model.fit(matrix, show_progress=False, callback=lambda epoch, seconds, loss: print(seconds))


def run_peer(options):
    matrix = read_matrix(f"{options.data}/train.txt.zst")
    peer, solver = options.peer.split()
    {"irspack": run_irspack, "implicit": run_implicit}[peer](matrix, solver, options)


# --- Outside of it: all of them, in turn ---

def seconds_of_ours(solver, options, build):
    command = [str(build / "bin" / "als_benchmark"), "--factors", str(options.factors), "--solvers", solver,
               "--threads", str(options.threads), "--rounds", str(options.epochs), "--data", options.data]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+\.\d+) s \[(\d+\.\d+), (\d+\.\d+)\]  loss (\d+\.\d+)", text)
    return [float(found[1])], float(found[4])


def seconds_of_peer(name, options, python):
    command = [str(python), __file__, "--peer", name, "--factors", str(options.factors), "--data", options.data,
               "--threads", str(options.threads), "--epochs", str(options.epochs)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    loss = [float(line.split()[1]) for line in lines if line.startswith("loss")]
    return [float(line) for line in lines if line and line[0].isdigit()], loss[0] if loss else None


def compare(options, build, python):
    seconds = {name: [] for name in CONTENDERS}
    losses = {}
    for _ in range(options.rounds):
        for name in CONTENDERS:
            owner, solver = name.split()
            if owner == "ours":
                some, losses[name] = seconds_of_ours(solver, options, build)
            else:
                some, losses[name] = seconds_of_peer(name, options, python)
            seconds[name] += some
    print(f"d={options.factors}, {options.threads} threads, {options.rounds} rounds of {options.epochs} epochs")
    for name, ours in CONTENDERS.items():
        median = statistics.median(seconds[name])
        ratio = median / statistics.median(seconds[ours])
        loss = f"  loss {losses[name]:.1f}" if losses[name] else ""
        print(f"  {name:17} {median:7.4f} s [{min(seconds[name]):.4f}, {max(seconds[name]):.4f}]  "
              f"{ratio:5.2f} x {ours}{loss}", flush=True)


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(root / "build" / "release"))
    parser.add_argument("--data", default=str(root.parent / "shared" / "data" / "gowalla_lightgcn"))
    parser.add_argument("--factors", default="64,128")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        options.factors = int(options.factors)
        return run_peer(options)
    build = pathlib.Path(options.build)
    if not (build / "bin" / "als_benchmark").exists():
        sys.exit(f"als_benchmark is not in {build}/bin: build it first")
    if not pathlib.Path(options.data, "train.txt.zst").exists():
        sys.exit(f"train.txt.zst is not in {options.data}: nothing was measured")
    python = make_environment(build)
    for factors in options.factors.split(","):
        options.factors = int(factors)
        compare(options, build, python)


if __name__ == "__main__":
    main()
