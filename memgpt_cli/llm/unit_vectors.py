"""Unit vectors, the form in which every embedder returns vectors."""

from typing import TYPE_CHECKING

from memgpt_cli.domain.vectors import Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def unit_vector(vector: "NDArray[np.float32]") -> Vector:
    """Return the vector scaled to length one, as bytes; a zero vector becomes the first axis."""
    import numpy as np

    length = float(np.linalg.norm(vector))
    if length == 0.0:
        vector, length = np.eye(1, vector.size, dtype="<f4")[0], 1.0
    return Vector(np.asarray(vector / length, dtype="<f4").tobytes())
