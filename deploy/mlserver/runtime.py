"""A SavedModel under MLServer: one signature per model, asked over the Open Inference Protocol, version 2."""

import tensorflow as tf
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from mlserver.utils import get_model_uri


class SavedModel(MLModel):
    """The signature ``predict`` of the SavedModel that ``uri`` in model-settings.json names."""

    async def load(self):
        """Load the folder, and call the signature once, so that the first client doesn't wait for it."""
        self._signature = tf.saved_model.load(await get_model_uri(self.settings)).signatures["predict"]
        specs = self._signature.structured_input_signature[1]
        self._signature(
            **{name: tf.zeros([size or 1 for size in spec.shape], spec.dtype) for name, spec in specs.items()}
        )
        return True

    async def predict(self, payload):
        """Answer an InferenceRequest, `payload`, whose inputs carry the names of the signature's."""
        arrays = {given.name: tf.constant(NumpyCodec.decode_input(given)) for given in payload.inputs}
        outputs = {
            name: NumpyCodec.encode_output(name, array.numpy()) for name, array in self._signature(**arrays).items()
        }
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=list(outputs.values()))
