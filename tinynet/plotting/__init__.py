"""Pictures of a training run: curves, image galleries, mistakes, filters, confusion matrix; and of several
runs, compared.

Every function returns a matplotlib Figure that belongs to the caller: no window, no global state, no display
needed. `save(figure, path)` writes it. matplotlib is imported when the first picture is made.
"""

from tinynet import missing_names
from tinynet.plotting.comparisons import compare_histories
from tinynet.plotting.confusion import confusion_matrix
from tinynet.plotting.curves import history_curves
from tinynet.plotting.dot_rows import dots
from tinynet.plotting.figure import save
from tinynet.plotting.images import gallery, mistakes
from tinynet.plotting.kernel_images import filters
from tinynet.plotting.learning_rates import learning_rate_curve
from tinynet.plotting.model_graph import plot_model

__all__ = [
    "compare_histories",
    "confusion_matrix",
    "dots",
    "filters",
    "gallery",
    "history_curves",
    "learning_rate_curve",
    "mistakes",
    "plot_model",
    "save",
]

missing_names.namespace(__name__)
