//! The vector set folder of the benchmarks: `set.json`, the number of rows of each passage and query, and unit rows of
//! 32-bit floats, all little-endian.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ndarray::Array2;

pub type Failure = Box<dyn std::error::Error>;

pub struct VectorSet {
    folder: PathBuf,
    dim: usize,
    /// Files that together hold the rows of all passages.
    vectors: Vec<PathBuf>,
}

impl VectorSet {
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("set.json");
        let file = File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let description: serde_json::Value = serde_json::from_reader(BufReader::new(file))?;
        let dim = description["dim"].as_u64().filter(|&dim| dim > 0);
        let dim =
            dim.ok_or_else(|| format!("{}: \"dim\" is not a positive number", path.display()))?;
        let vectors = match description["shards"].as_array() {
            None => vec![folder.join("vectors.f32")],
            // An absolute path replaces the folder.
            Some(shards) => shards
                .iter()
                .map(|shard| shard.as_str().map(|name| folder.join(name)))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    format!(
                        "{}: \"shards\" holds something other than paths",
                        path.display()
                    )
                })?,
        };
        Ok(Self {
            folder: folder.to_path_buf(),
            dim: dim as usize,
            vectors,
        })
    }

    /// One `[tokens][dim]` array a passage.
    pub fn passages(&self) -> Result<Vec<Array2<f32>>, Failure> {
        self.matrices("lengths.u32", &self.vectors)
    }

    /// One `[tokens][dim]` array a query.
    pub fn queries(&self) -> Result<Vec<Array2<f32>>, Failure> {
        self.matrices("query-lengths.u32", &[self.folder.join("queries.f32")])
    }

    fn matrices(&self, lengths: &str, files: &[PathBuf]) -> Result<Vec<Array2<f32>>, Failure> {
        let lengths = self.folder.join(lengths);
        let bytes = std::fs::read(&lengths).map_err(|e| format!("{}: {e}", lengths.display()))?;
        let mut rows: Box<dyn Read> = Box::new(std::io::empty());
        for path in files {
            let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
            rows = Box::new(rows.chain(BufReader::with_capacity(1 << 20, file)));
        }
        let mut matrices = Vec::with_capacity(bytes.len() / 4);
        let mut buffer = Vec::new();
        for length in bytes.chunks_exact(4) {
            let length = u32::from_le_bytes(length.try_into()?) as usize;
            buffer.resize(length * self.dim * 4, 0);
            rows.read_exact(&mut buffer)
                .map_err(|e| format!("rows of {} are missing: {e}", lengths.display()))?;
            let values = buffer
                .chunks_exact(4)
                .map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]));
            matrices.push(Array2::from_shape_vec(
                (length, self.dim),
                values.collect(),
            )?);
        }
        if rows.read(&mut [0])? != 0 {
            return Err(format!("there are more rows than {} counts", lengths.display()).into());
        }
        Ok(matrices)
    }
}
