from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from datasets.views import data, diff, drift, history, images, keys, pipelines, plots, said, storage, table, thumbnail

app_name = "datasets"
urlpatterns: list[URLPattern] = [
    path("<owner:owner>/<repository:name>/data", data.data, name="data"),
    path("<owner:owner>/<repository:name>/data/<rest:rest>", data.data, name="data_at"),
    path("<owner:owner>/<repository:name>/datasets/diff/<rest:rest>", diff.diff, name="diff"),
    path("<owner:owner>/<repository:name>/datasets/drift/<rest:rest>", drift.page, name="drift"),
    path("<owner:owner>/<repository:name>/datasets/history/<rest:rest>", history.page, name="history"),
    path("<owner:owner>/<repository:name>/datasets/image/<rest:rest>", said.image, name="image"),
    path("<owner:owner>/<repository:name>/datasets/rows/<int:thread_id>/now", said.row_now, name="row_now"),
    path("<owner:owner>/<repository:name>/datasets/images/<rest:rest>", images.page, name="images"),
    path("<owner:owner>/<repository:name>/datasets/table/<rest:rest>", table.page, name="table"),
    path("<owner:owner>/<repository:name>/datasets/thumbnail/<rest:rest>", thumbnail.thumbnail, name="thumbnail"),
    path("<owner:owner>/<repository:name>/datasets/plots/<rest:rest>", plots.page, name="plots"),
    path("<owner:owner>/<repository:name>/pipelines", pipelines.page, name="pipelines"),
    path("<owner:owner>/<repository:name>/pipelines/<rest:rest>", pipelines.page, name="pipelines_at"),
    path("<owner:owner>/<repository:name>/datasets/diffs/<int:job_id>/cancel", diff.cancel, name="diff_cancel"),
    path("<owner:owner>/<repository:name>/datasets/diffs/<int:job_id>/again", diff.again, name="diff_again"),
    path("<owner:owner>/<repository:name>/settings/data", keys.page, name="keys"),
    path("<owner:owner>/<repository:name>/settings/data/add", keys.add, name="add_key"),
    path("<owner:owner>/<repository:name>/settings/data/<int:key_id>/remove", keys.remove, name="remove_key"),
    path("<owner:owner>/<repository:name>/settings/storage", storage.page, name="storage"),
    path("<owner:owner>/<repository:name>/settings/storage/dataset", storage.dataset, name="storage_dataset"),
    path("<owner:owner>/<repository:name>/settings/storage/measure", storage.measure, name="storage_measure"),
    path("<owner:owner>/<repository:name>/settings/storage/garbage", storage.garbage, name="storage_garbage"),
    path("<owner:owner>/<repository:name>/settings/storage/garbage/look", storage.look, name="storage_look"),
    path("<owner:owner>/<repository:name>/settings/storage/garbage/collect", storage.collect, name="storage_collect"),
    path("<owner:owner>/<repository:name>/settings/storage/stop/<str:kind>", storage.stop, name="storage_stop"),
    path("<owner:owner>/<repository:name>/settings/storage/limit", storage.limit, name="storage_limit"),
]
