//! Builds a next-plaid index from a vector set, and answers queries of that set one line at a time.
//!
//! ```text
//! peer-next-plaid build SET INDEX [--nbits 4] [--batch-size 50000]
//! peer-next-plaid serve SET INDEX [--k 10] [--n-ivf-probe 8] [--n-full-scores 4096]
//!                                 [--centroid-score-threshold 0.4|none] [--centroid-batch-size 100000]
//! ```
//!
//! Defaults other than `--k` are next-plaid's own. `RAYON_NUM_THREADS` sets the threads.
//!
//! `build` prints one JSON line. `serve` prints `{"ready":true,...}` and then answers each line of its input: a query
//! number with `{"q","ms","cpuMs","ids","scores"}`, `all` with that line for each query in order, `memory` with
//! `{"peakRssBytes","anonymousBytes"}`. `ms` is the time of the search call alone, `cpuMs` the processor time of all
//! threads of this process meanwhile.

mod vector_set;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

use ndarray::Array2;
use next_plaid::{IndexConfig, MmapIndex, SearchParameters};
use serde_json::{json, Value};
use vector_set::{Failure, VectorSet};

const USAGE: &str = "usage: peer-next-plaid build|serve SET INDEX [--option value]...";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("peer-next-plaid: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, set, index, options @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let set = VectorSet::open(Path::new(set))?;
    let mut options = Options::parse(options)?;
    match command.as_str() {
        "build" => build(&set, index, &mut options),
        "serve" => serve(&set, index, &mut options),
        other => Err(format!("unknown command {other}; {USAGE}").into()),
    }
}

fn build(set: &VectorSet, folder: &str, options: &mut Options) -> Result<(), Failure> {
    let mut config = IndexConfig::default();
    config.nbits = options.take("nbits", config.nbits)?;
    config.batch_size = options.take("batch-size", config.batch_size)?;
    // The raw vectors that it keeps for rebuilding a small index are no part of what a search needs.
    config.start_from_scratch = 0;
    options.finish()?;

    let begun = Instant::now();
    let passages = set.passages()?;
    let read_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let index = MmapIndex::create_with_kmeans(&passages, folder, &config)?;
    let seconds = begun.elapsed().as_secs_f64();
    let (bytes_on_disk, copied) = bytes_below(Path::new(folder))?;
    print_line(&json!({
        "seconds": seconds,
        "readSeconds": read_seconds,
        "peakRssBytes": status_bytes("VmHWM:")?,
        "bytesOnDisk": bytes_on_disk,
        "bytesOfSecondCopies": copied,
        "centroids": index.num_partitions(),
        "tokens": index.num_embeddings(),
    }))
}

fn serve(set: &VectorSet, folder: &str, options: &mut Options) -> Result<(), Failure> {
    let mut parameters = SearchParameters::default();
    parameters.top_k = options.take("k", 10)?;
    parameters.n_ivf_probe = options.take("n-ivf-probe", parameters.n_ivf_probe)?;
    parameters.n_full_scores = options.take("n-full-scores", parameters.n_full_scores)?;
    parameters.centroid_batch_size =
        options.take("centroid-batch-size", parameters.centroid_batch_size)?;
    match options
        .take("centroid-score-threshold", String::new())?
        .as_str()
    {
        "" => {}
        "none" => parameters.centroid_score_threshold = None,
        threshold => parameters.centroid_score_threshold = Some(threshold.parse()?),
    }
    options.finish()?;

    let queries = set.queries()?;
    let begun = Instant::now();
    let index = MmapIndex::load(folder)?;
    print_line(&json!({
        "ready": true,
        "openMs": begun.elapsed().as_secs_f64() * 1e3,
        "passages": index.num_documents(),
        "parameters": parameters,
    }))?;
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "memory" => print_line(&json!({
                "peakRssBytes": status_bytes("VmHWM:")?,
                "anonymousBytes": status_bytes("RssAnon:")?,
            }))?,
            "all" => {
                for q in 0..queries.len() {
                    print_line(&answer(&index, &queries, q, &parameters)?)?;
                }
            }
            number => match number.parse::<usize>() {
                Ok(q) if q < queries.len() => {
                    print_line(&answer(&index, &queries, q, &parameters)?)?
                }
                _ => print_line(&json!({
                    "error": format!("not a query number below {}: {number}", queries.len())
                }))?,
            },
        }
    }
    Ok(())
}

fn answer(
    index: &MmapIndex,
    queries: &[Array2<f32>],
    q: usize,
    parameters: &SearchParameters,
) -> Result<Value, Failure> {
    let cpu = processor_ms()?;
    let begun = Instant::now();
    let found = index.search(&queries[q], parameters, None)?;
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    let cpu_ms = processor_ms()? - cpu;
    Ok(
        json!({ "q": q, "ms": ms, "cpuMs": cpu_ms, "ids": found.passage_ids, "scores": found.scores }),
    )
}

fn print_line(value: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

/// Processor time of all threads of this process so far.
fn processor_ms() -> Result<f64, Failure> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec, which outlives it.
    if unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) } != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6)
}

/// A memory figure of this process that Linux counts in kibibytes.
fn status_bytes(field: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next());
    Ok(kibibytes
        .ok_or_else(|| format!("/proc/self/status has no {field}"))?
        .parse::<u64>()?
        * 1024)
}

/// Bytes of the files of an index, and how many of them are per-chunk arrays (`0.codes.npy`) that loading merges into
/// one array and keeps beside it.
fn bytes_below(folder: &Path) -> Result<(u64, u64), Failure> {
    let (mut total, mut copies) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path: PathBuf = entry.path();
        let bytes = entry.metadata()?.len();
        total += bytes;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".npy") {
            copies += bytes;
        }
    }
    Ok((total, copies))
}

/// `--name value` pairs.
struct Options(HashMap<String, String>);

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut values = HashMap::new();
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name.starts_with("--") => {
                    values.insert(name[2..].to_string(), value.clone())
                }
                _ => {
                    return Err(
                        format!("expected --option value, got {}; {USAGE}", pair.join(" ")).into(),
                    )
                }
            };
        }
        Ok(Self(values))
    }

    fn take<T: FromStr>(&mut self, name: &str, otherwise: T) -> Result<T, Failure>
    where
        T::Err: std::error::Error + 'static,
    {
        match self.0.remove(name) {
            None => Ok(otherwise),
            Some(value) => value
                .parse()
                .map_err(|e: T::Err| format!("--{name} {value}: {e}").into()),
        }
    }

    fn finish(&self) -> Result<(), Failure> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("unknown option --{name}; {USAGE}").into()),
        }
    }
}
