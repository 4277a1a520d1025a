"""Pairs and logits of the tiny cross-encoders, by the tokenizers library and onnxruntime in Python.

    CROSS_ENCODER_MODELS=/tmp/models npx vitest run test/golden/cross-encoder.test.ts   # writes the models
    pip install onnxruntime tokenizers numpy
    python scripts/make-cross-encoder-golden.py /tmp/models > test/golden/cross-encoder.json
    npx biome format --write test/golden/cross-encoder.json

Pairs longer than the model takes are cut by `longest_first`, one pair a run.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

WORDS = "the cat sat on mat dog running fast search index token".split()
PAIRS = [
    ["cat", "dog"],
    ["the cat", "a running cat"],
    ["The cat sat on the mat.", "Running dogs search fast indexes, 42 tokens!"],
    ["  spaces  around ", "caf\u00e9 na\u00efve \u00e9t\u00e9 \u4f60\u597d \U0001f600"],
    ["how do bees find home?", "x"],
    ["cat", " ".join(WORDS * 9)],
    [" ".join(WORDS * 9), "cat"],
    [" ".join(WORDS * 9), " ".join(reversed(WORDS * 9))],
    [" ".join(reversed(WORDS * 12)), " ".join(WORDS * 9)],
    [" ".join(WORDS * 2), " ".join(WORDS * 9)],
    ["a", "1 2 3 4 5 6 7 8 9 0 " * 30],
]


def golden(folder: Path) -> dict:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    limit = json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"]
    tokenizer.enable_truncation(limit, strategy="longest_first")
    session = onnxruntime.InferenceSession(str(folder / "onnx" / "model.onnx"))
    wanted = [value.name for value in session.get_inputs()]
    items = []
    for query, document in PAIRS:
        pair = tokenizer.encode(query, document)
        columns = {
            "input_ids": pair.ids,
            "attention_mask": pair.attention_mask,
            "token_type_ids": pair.type_ids,
        }
        feeds = {name: np.array([columns[name]], dtype=np.int64) for name in wanted}
        (logits,) = session.run(None, feeds)
        items.append(
            {
                "query": query,
                "document": document,
                "ids": pair.ids,
                "types": pair.type_ids,
                "logits": [round(float(x), 6) for x in logits.reshape(-1)],
            }
        )
    return {"model": folder.name, "pairs": items}


folders = sorted(path for path in Path(sys.argv[1]).iterdir() if (path / "tokenizer.json").exists())
print("[\n" + ",\n".join(json.dumps(golden(folder), separators=(",", ":")) for folder in folders) + "\n]")
