// The process that builds an index: see bench-index.mjs. Phases: "before" ends when the corpus is open and one block of
// it has been made, "during" with the index closed.

import { Index } from "../../../dist/engine/index.js";
import { say } from "../../lib/project.mjs";
import { arxivTexts } from "../data/arxiv.mjs";
import { passagesOf } from "./blocks.mjs";
import { openCorpus } from "./corpus.mjs";
import { serveTask } from "./fresh-process.mjs";

const SAY_EVERY = 100_000;

serveTask(async ({ spec, folder, nbits, withIds, texts }, endPhase) => {
  const corpus = await openCorpus(spec);
  const rows = texts ? arxivTexts() : undefined;
  for (const _ of corpus.blocks()) break;
  endPhase("before");
  const made = texts ? { nbits } : { model: null, dim: corpus.dim, nbits };
  const index = await Index.create(folder, made);
  const feed = new Feed(corpus, withIds, rows);
  const clock = new StageClock();
  const cpu = process.cpuUsage();
  let seconds;
  let info;
  try {
    await index.addEmbeddings(feed.documents(), { onProgress: ({ stage }) => clock.at(stage) });
    seconds = clock.seconds(feed.milliseconds / 1000);
    info = index.info();
  } finally {
    await index.close();
  }
  const { user, system } = process.cpuUsage(cpu);
  endPhase("during");
  return {
    seconds,
    total: Object.values(seconds).reduce((sum, n) => sum + n, 0),
    feedSeconds: feed.milliseconds / 1000,
    processorSeconds: (user + system) / 1e6,
    centroids: info.centroids,
    segments: info.segments,
    passages: info.passages,
    tokens: info.tokens,
  };
});

/** The documents, and the time that making them took, which is no part of the build. */
class Feed {
  constructor(corpus, withIds, rows) {
    this.corpus = corpus;
    this.withIds = withIds;
    this.rows = rows;
    this.milliseconds = 0;
  }

  *documents() {
    const passages = passagesOf(this.corpus);
    for (;;) {
      const before = performance.now();
      const { value, done } = passages.next();
      this.milliseconds += performance.now() - before;
      if (done) return;
      const { passage, vectors, tokenIds } = value;
      if (passage > 0 && passage % SAY_EVERY === 0)
        say(`${passage} of ${this.corpus.passages} passages handed over`);
      const text =
        this.rows === undefined ? {} : { text: this.rows[passage].pos, title: this.rows[passage].query };
      yield { id: String(passage), vectors, ...(this.withIds ? { tokenIds } : {}), ...text };
    }
  }
}

/**
 * Seconds of the stages of a build, from its progress reports: taking vectors in (quantize, spill, catalog rows),
 * sample (read the sampled vectors back), train (clustering and quantizer), write (assign, quantize residuals, posting
 * lists, files), commit.
 */
class StageClock {
  constructor() {
    this.start = performance.now();
    this.first = new Map();
    this.last = new Map();
  }

  at(stage) {
    const now = performance.now();
    if (!this.first.has(stage)) this.first.set(stage, now);
    this.last.set(stage, now);
  }

  seconds(feedSeconds) {
    const end = performance.now();
    const sampled = this.first.get("sample") ?? end;
    const trained = this.last.get("sample") ?? sampled;
    const encoding = this.first.get("encode") ?? trained;
    const committing = this.first.get("commit") ?? end;
    const between = (from, to) => (to - from) / 1000;
    return {
      intake: between(this.start, sampled) - feedSeconds,
      sample: between(sampled, trained),
      train: between(trained, encoding),
      write: between(encoding, committing),
      commit: between(committing, end),
    };
  }
}
