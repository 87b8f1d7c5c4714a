"""The gRPC interface: the official services, answered from the models."""

import math

import numpy as np

from course_utils.serving.models import messages
from course_utils.serving.rest import BANNER
from course_utils.serving.values import ServingError, invalid

_LARGEST = 1 << 27  # numbers in a tensor


class Grpc:
    """The services of gRPC, by the names of their methods: a request and a context go in, a response comes out."""

    def __init__(self, models):
        self._models = models

    def add_to(self, server):
        """Let `server`, one of grpcio, answer with these methods; others are answered with UNIMPLEMENTED."""
        prediction, management = messages().prediction_service, messages().model_service
        bases = (Grpc, prediction.PredictionServiceServicer, management.ModelServiceServicer)
        services = type("Services", bases, {})(self._models)
        prediction.add_PredictionServiceServicer_to_server(services, server)
        management.add_ModelServiceServicer_to_server(services, server)

    def _answer(self, work, context):
        import grpc

        context.send_initial_metadata((("x-server", BANNER),))
        try:
            return work()
        except ServingError as error:
            context.abort(getattr(grpc.StatusCode, error.code, grpc.StatusCode.UNKNOWN), error.message)

    def _spec(self, spec):
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        chosen = spec.WhichOneof("version_choice")
        return spec.name, spec.version.value if chosen == "version" else None, spec.version_label or None

    def Predict(self, request, context):
        """Run a signature on the tensors of `request`, a PredictRequest; `context` is gRPC's."""
        return self._answer(lambda: self._predict(request), context)

    def _predict(self, request):
        protos = messages()
        with self._models.borrow(*self._spec(request.model_spec)) as version:
            name, definition = version.signature(request.model_spec.signature_name, "FAILED_PRECONDITION")
            arrays = {key: _array(key, tensor) for key, tensor in request.inputs.items()}
            outputs = version.predict(name, arrays)
        response = protos.predict.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = request.model_spec.name, name
        response.model_spec.version.value = version.number
        for key, array in outputs.items():
            proto = protos.tf.make_tensor_proto(array, definition.outputs[key].dtype, array.shape)
            response.outputs[key].CopyFrom(proto)
        return response

    def GetModelStatus(self, request, context):
        """Report the versions that `request`, a GetModelStatusRequest, names; `context` is gRPC's."""
        return self._answer(lambda: self._models.status(*self._spec(request.model_spec)), context)

    def HandleReloadConfigRequest(self, request, context):
        """Take over the configuration of `request`, a ReloadConfigRequest; `context` is gRPC's."""

        def work():
            self._models.configure(request.config)
            return messages().management.ReloadConfigResponse()

        return self._answer(work, context)


def _array(name, tensor):
    """Read a TensorProto, unless it claims to be huge: one number may stand for any shape."""
    try:
        if math.prod(dim.size for dim in tensor.tensor_shape.dim) > _LARGEST:
            raise ValueError("it is too large")
        return np.asarray(messages().tf.make_ndarray(tensor))
    except (ValueError, TypeError) as error:
        raise invalid(f"input {name} is not a tensor: {error}") from None
