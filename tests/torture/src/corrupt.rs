//! Silent corruption: bytes of the spool that change between processes.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::error::Error;

/// Returns the path of the spool's write-ahead log.
pub(crate) fn log_of(spool: &Path) -> PathBuf {
    let mut log = spool.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Changes random bytes of the database, its log, or both.
pub(crate) fn flip(random: &mut Rng, spool: &Path, times: u32) -> Result<(), Error> {
    let log = log_of(spool);
    let files: Vec<_> = [spool, &log]
        .into_iter()
        .filter_map(|file| {
            let length = fs::metadata(file).ok()?.len();
            (length > 0).then_some((file, length))
        })
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    for _ in 0..times {
        let (file, length) = files[random.usize(..files.len())];
        let doing = || format!("change a byte of {}", file.display());
        let position = random.u64(..length);
        let mut opened = OpenOptions::new()
            .read(true)
            .write(true)
            .open(file)
            .map_err(Error::io(doing()))?;
        let mut byte = [0];
        opened
            .seek(SeekFrom::Start(position))
            .and_then(|_| opened.read_exact(&mut byte))
            .map_err(Error::io(doing()))?;
        byte[0] ^= random.u8(1..);
        opened
            .seek(SeekFrom::Start(position))
            .and_then(|_| opened.write_all(&byte))
            .map_err(Error::io(doing()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flip_changes_bytes_and_not_the_length() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.spool");
        fs::write(&file, [0; 64]).unwrap();
        flip(&mut Rng::with_seed(1), &file, 1).unwrap();
        let bytes = fs::read(&file).unwrap();
        assert_eq!(bytes.len(), 64);
        assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 1);
    }
}
