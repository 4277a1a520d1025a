"""Loads training data of `maxsim distill` as the libraries do that it is for, and checks what they get.

    python3 scripts/check-training-data.py FOLDER

Needs `datasets`. With `pylate` and `sentence-transformers` installed (also without their dependencies: pip install --no-deps),
PyLate's KDProcessing joins the three files of "kd", and the columns that Sentence Transformers takes for labels are read from its
source. Exit status: 0 sound, 1 not sound, 3 `datasets` is missing.
"""

import ast
import importlib.util
import json
import pathlib
import sys

# sbert.net, Training Overview, Dataset Format.
LABELS = ("label", "labels", "score", "scores")
# Inputs by position, and the type of the label.
EXPECTED = {
    "pairs": (["anchor", "positive"], None),
    "triplets": (["anchor", "positive", "negative"], None),
    "n-tuples": (["anchor", "positive", "negative_1"], "list"),
    "scored": (["query", "passage"], "float64"),
    "margins": (["query", "positive", "negative"], "float64"),
}
KD = {
    "train": {"query_id": "string", "document_ids": "list<string>", "scores": "list<float64>"},
    "queries": {"query_id": "string", "text": "string"},
    "documents": {"document_id": "string", "text": "string"},
}

problems = []


def check(condition, message):
    if not condition:
        problems.append(message)


def source_of(package, path):
    """A file of an installed package, which is not imported: that would need all it depends on."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    file = pathlib.Path(spec.submodule_search_locations[0]) / path
    return file if file.is_file() else None


def label_columns():
    """What Sentence Transformers itself says, where it is installed."""
    for path in ("base/data_collator.py", "data_collator.py"):
        file = source_of("sentence_transformers", path)
        if file is None:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            if "DEFAULT_LABEL_COLUMNS" in names:
                return ast.literal_eval(node.value), str(file)
    return LABELS, "the documentation"


def kd_processing():
    """PyLate's own class, without the rest of the package, which needs torch."""
    file = source_of("pylate", "utils/processing.py")
    if file is None:
        return None
    spec = importlib.util.spec_from_file_location("pylate_processing", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.KDProcessing


def kind_of(feature):
    """`string`, `float64`, `list<string>`, ..."""
    inner = getattr(feature, "feature", None)
    if inner is None and isinstance(feature, list):
        inner = feature[0]
    return feature.dtype if inner is None else f"list<{inner.dtype}>"


def check_columns(name, data, labels):
    columns = data.column_names
    label = next((column for column in columns if column in labels), None)
    inputs = [column for column in columns if column != label]
    expected, label_kind = EXPECTED[name]
    if name == "n-tuples":
        expected = ["anchor", "positive", *[f"negative_{i + 1}" for i in range(len(inputs) - 2)]]
        scores = len(expected) - 1
        check(all(len(row) == scores for row in data[label]), f"{name}: every row must have {scores} scores")
        check(kind_of(data.features[label]) == "list<float64>", f"{name}: {label} is {data.features[label]}")
    elif label_kind is None:
        check(label is None, f"{name}: {label} would be a label")
    else:
        check(label is not None, f"{name}: there is no label among {columns}")
        check(kind_of(data.features[label]) == label_kind, f"{name}: {label} is {data.features[label]}")
    check(inputs == expected, f"{name}: inputs are {inputs}, expected {expected}")
    for column in inputs:
        check(kind_of(data.features[column]) == "string", f"{name}: {column} is {data.features[column]}")
        check(all(text.strip() for text in data[column]), f"{name}: {column} has an empty text")
    if name == "scored":
        check(all(0 <= score <= 1 for score in data[label]), f"{name}: scores must be within 0 and 1")


def check_distillation(sets):
    train, queries, documents = sets["train"], sets["queries"], sets["documents"]
    for name, columns in KD.items():
        found = {column: kind_of(feature) for column, feature in sets[name].features.items()}
        check(found == columns, f"{name}: columns are {found}, expected {columns}")
    ways = {len(ids) for ids in train["document_ids"]} | {len(scores) for scores in train["scores"]}
    check(len(ways) == 1, f"train: rows have {sorted(ways)} documents, one number was expected")
    for name, column in (("queries", "query_id"), ("documents", "document_id")):
        ids = sets[name][column]
        check(len(set(ids)) == len(ids), f"{name}: an id stands there twice")
    processing = kd_processing()
    if processing is None:
        print("skipped: KDProcessing (pylate is not installed)")
        return
    joined = train.map(processing(queries=queries, documents=documents).map)
    texts = dict(zip(documents["document_id"], documents["text"]))
    asked = dict(zip(queries["query_id"], queries["text"]))
    for row, result in zip(train, joined):
        wanted = [texts.get(id) for id in row["document_ids"]][:32]
        check(result["documents"] == wanted, f"KDProcessing: other documents for query {row['query_id']}")
        check(result["query"] == asked.get(row["query_id"]), f"KDProcessing: another query for {row['query_id']}")
        check(result["scores"] == row["scores"][:32], f"KDProcessing: other scores for query {row['query_id']}")
    train.set_transform(processing(queries=queries, documents=documents).transform)
    check(train[:]["documents"] == joined["documents"], "KDProcessing: map and transform differ")
    print(f"KDProcessing: {len(joined)} rows of {max(ways)} documents")


def main():
    folder = pathlib.Path(sys.argv[1])
    try:
        import datasets
    except ImportError:
        print("skipped: the Python package datasets is not installed")
        return 3
    datasets.disable_caching()
    datasets.disable_progress_bars()
    labels, where = label_columns()
    print(f"datasets {datasets.__version__}; label columns {', '.join(labels)}, from {where}")
    written = {file["name"]: file["rows"] for file in json.loads((folder / "report.json").read_text())["files"]}
    sets = {}
    for name in [*EXPECTED, *KD]:
        file = f"kd/{name}.jsonl" if name in KD else f"{name}.jsonl"
        if not written.get(file):
            print(f"skipped: {file} (not among what was written, or without rows)")
            continue
        data = datasets.load_dataset("json", data_files=str(folder / file), split="train")
        card = datasets.load_dataset(str(folder), name, split="train")
        check(len(data) == written[file], f"{file}: {len(data)} rows, report.json says {written[file]}")
        check(card.to_dict() == data.to_dict(), f"{name}: the card names another file")
        if name in EXPECTED:
            check_columns(name, data, labels)
        sets[name] = data
        print(f"{name}: {len(data)} rows, {', '.join(data.column_names)}")
    if all(name in sets for name in KD):
        check_distillation(sets)
    for problem in problems[:20]:
        print(f"not sound: {problem}")
    return 1 if problems else 0


sys.exit(main())
