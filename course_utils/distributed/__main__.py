"""Train lesson 06's U-Net at full size on the machines that ``TF_CONFIG`` names, with the loop of lesson 14.

Start the same command on each machine, with the same options; the folder is one that all of them share::

    python -m course_utils.distributed --folder shared/unet

Without ``TF_CONFIG`` it takes all GPUs of this computer, or its processor. After a crash, start it again on all machines:
it goes on from the newest checkpoint.
"""

import argparse
import os
from pathlib import Path

from course_utils import tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions


def _options(given):
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m course_utils.distributed", description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("--folder", type=Path, required=True, help="for the checkpoints and the finished weights")
    add("--steps", type=int, default=10_000, help="of training, in all")
    add("--batch", type=int, default=8, help="pictures per step, of all machines together")
    add("--size", type=int, nargs=2, default=(512, 768), help="height and width of the pictures")
    add("--channels", type=int, nargs="+", default=(8, 16, 32, 64), help="of the U-Net's levels")
    add("--rate", type=float, default=1e-2, help="learning rate at the start")
    add("--every", type=int, default=100, help="steps between checkpoints")
    add("--precision", choices=("float32", "mixed_bfloat16"), default="float32")
    return parser.parse_args(given)


def _network(strategy, options, car_network):
    """The U-Net and its optimizer, as in lesson 06, with variables that the strategy keeps equal."""
    import keras

    keras.mixed_precision.set_dtype_policy(options.precision)
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = car_network(channels=tuple(options.channels))
        schedule = keras.optimizers.schedules.CosineDecay(options.rate, options.steps)
        optimizer = keras.optimizers.Adam(schedule)
        optimizer.build(model.trainable_variables)
    return model, optimizer


def main(given=None):
    """Train up to the number of steps, and judge the masks of 64 pictures of unseen cars.

    Parameters
    ----------
    given : list of str, optional
        The options; the command line by default.
    """
    options = _options(given)
    halves = 2 ** (len(options.channels) - 1)
    if min(options.steps, options.every, *options.size) < 1 or any(side % halves for side in options.size):
        raise SystemExit(f"--steps and --every should be at least 1, and both of --size multiples of {halves}.")
    tensorflow_start.start_tensorflow()
    import tensorflow as tf

    several = "TF_CONFIG" in os.environ
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if several else tf.distribute.MirroredStrategy()
    if options.batch < 1 or options.batch % strategy.num_replicas_in_sync:
        raise SystemExit(
            f"--batch {options.batch} can't be split evenly among {strategy.num_replicas_in_sync} devices: choose a multiple."
        )
    lesson, unet = definitions("14_distributed"), definitions("06_unet")
    known, unseen = carvana.load_carvana(cars=None).split_by_car(validation=0.2, seed=0)
    model, optimizer = _network(strategy, options, unet.car_network)
    options.folder.mkdir(parents=True, exist_ok=True)
    is_chief = not several or strategy.cluster_resolver.task_id == 0
    rest, number = (tuple(options.size), options.batch, options.folder, options.every), None
    for number, loss in lesson.training(strategy, model, optimizer, known, options.steps, *rest):
        if is_chief and (number % options.every == 0 or number == options.steps):
            print(f"step {number}  loss {loss:.4f}", flush=True)
    if is_chief:
        _finish(model, options, unet, unseen, number)


def _finish(model, options, unet, unseen, number):
    """Store the weights, and say how good the masks of unseen cars are; on one machine alone, so outside of the strategy."""
    if number is None:
        print(f"The checkpoint in {options.folder} has all {options.steps} steps.")
    alone = unet.car_network(channels=tuple(options.channels))
    alone.set_weights([variable.numpy() for variable in model.variables])
    alone.save_weights(options.folder / "unet.weights.h5")
    some = unseen.select(range(0, len(unseen), -(-len(unseen) // 64)))
    pictures, masks = carvana.arrays(some, tuple(options.size))
    dice = unet.judge(unet.logits_of(alone, pictures), masks)[1]
    print(f"Dice {dice:.3f} on {len(some)} pictures of unseen cars")


if __name__ == "__main__":
    main()
