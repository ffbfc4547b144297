//! The file of the user's that is told the id of a new job (`run --id-file`), before its command starts.
//!
//! It is written beside its place and moved there, so whoever waits for it never reads half an id. A crash leaves at
//! worst the temporary file, named after the file and our pid.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::domain::job_id::JobId;
use crate::platform;
use crate::store::StoreError;

/// A file that will be told an id.
#[derive(Debug)]
pub struct IdFile {
    path: PathBuf,
    temporary: PathBuf,
    mask: u32,
}

impl IdFile {
    /// Finds out that it can be written before anything is started. `mask` is the caller's file mode creation mask.
    ///
    /// # Errors
    /// What the system says.
    pub fn prepare(path: &Path, mask: u32) -> io::Result<Self> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        let file = Self { path: path.to_owned(), temporary: temporary.into(), mask };
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        drop(platform::create_private(&file.temporary)?);
        platform::remove_file(&file.temporary);
        Ok(file)
    }

    /// Writes the id, replacing what is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, id: JobId) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io { action: "write", path: self.path.clone(), source };
        let mut file = platform::create_private(&self.temporary).map_err(failed)?;
        platform::apply_file_mask(&file, self.mask).map_err(failed)?;
        file.write_all(format!("{id}\n").as_bytes()).map_err(failed)?;
        platform::rename_file(&self.temporary, &self.path).map_err(failed)
    }

    /// Removes it: the job does not exist after all.
    pub fn remove(&self) {
        platform::remove_file(&self.path);
    }
}
