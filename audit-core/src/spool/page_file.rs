//! The pages of a database file as of its last commit, read without SQLite.
//!
//! SQLite opens no file whose first page is corrupt, although every other page may be intact. The
//! format is that of <https://www.sqlite.org/fileformat2.html>.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::Path;

use super::paths::{WAL, with_suffix};

/// The size of a page, by SQLite's default.
const PAGE_SIZE: usize = 4_096;
/// The position of each field in the header of a database.
const PAGE_SIZE_AT: usize = 16;
const FORMATS_AT: usize = 18;
const LAYOUT_AT: usize = 20;
const PAGES_AT: usize = 28;
const UNUSED_AT: usize = 32;
const AUTO_VACUUM_AT: usize = 52;
const ENCODING_AT: usize = 56;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;
const HEADER: usize = 100;
/// The first four bytes of a WAL; the last bit is set if its checksums are of big-endian words.
const WAL_MAGIC: u32 = 0x377f_0682;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The number of bytes for one page in a page of the pointer map.
const MAP_ENTRY: usize = 5;
/// The type of an unused page in the pointer map.
const FREE: u8 = 2;
/// The byte of the file that SQLite locks; its page is never used.
const LOCK_BYTE: usize = 0x4000_0000;

/// A database file and its WAL.
#[derive(Debug)]
pub(super) struct PageFile {
    database: File,
    wal: Option<File>,
    /// The positions in the WAL of the pages that were committed there.
    committed: HashMap<u32, u64>,
    page_size: usize,
    pages: u32,
    /// The page of the pointer map that was read last.
    map: Option<(u32, Vec<u8>)>,
}

impl PageFile {
    /// Opens a database for reading; nothing else may change it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let database = File::open(path)?;
        let length = database.metadata()?.len();
        let page_size = page_size_of(&database);
        let pages = length.div_ceil(page_size as u64);
        let mut file = Self {
            database,
            wal: None,
            committed: HashMap::new(),
            page_size,
            pages: u32::try_from(pages).unwrap_or(u32::MAX),
            map: None,
        };
        match File::open(with_suffix(path, WAL)) {
            Ok(wal) => file.read_wal(wal)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(file)
    }

    /// Returns the number of pages; the first is page 1.
    pub(super) fn pages(&self) -> u32 {
        self.pages
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size
    }

    /// Reads a page; `None` if it does not exist or cannot be read.
    ///
    /// The missing part of a truncated page is zero.
    pub(super) fn page(&self, page: u32) -> Option<Vec<u8>> {
        if page == 0 || page > self.pages {
            return None;
        }
        let in_database = || (&self.database, u64::from(page - 1) * self.page_size as u64);
        let in_wal = self.committed.get(&page).zip(self.wal.as_ref());
        let (file, position) = in_wal.map_or_else(in_database, |(at, wal)| (wal, *at));
        let mut bytes = Vec::with_capacity(self.page_size);
        read_at(file, position, self.page_size, &mut bytes).ok()?;
        bytes.resize(self.page_size, 0);
        Some(bytes)
    }

    /// Returns `true` if the pointer map proves that a page is unused.
    ///
    /// An unused page keeps the rows that were deleted with it.
    pub(super) fn is_unused(&mut self, page: u32) -> bool {
        let Some((map, at)) = self.place_in_map(page) else {
            return false;
        };
        if map == page {
            return true;
        }
        if self.map.as_ref().is_none_or(|(known, _)| *known != map) {
            self.map = self.page(map).map(|bytes| (map, bytes));
        }
        // An unused page has no parent. Another one was entered by something else than SQLite.
        let entry = self
            .map
            .as_ref()
            .and_then(|(_, bytes)| bytes.get(at..at + MAP_ENTRY));
        entry == Some(&[FREE, 0, 0, 0, 0])
    }

    /// Returns the page of the pointer map that has the entry of a page, and the entry's position.
    fn place_in_map(&self, page: u32) -> Option<(u32, usize)> {
        let mapped = (self.page_size / MAP_ENTRY) as u32 + 1;
        let map = page.checked_sub(2)? / mapped * mapped + 2;
        let lock_page = (LOCK_BYTE / self.page_size) as u32 + 1;
        let map = if map == lock_page { map + 1 } else { map };
        let at = page.checked_sub(map + 1);
        match at {
            Some(at) => Some((map, at as usize * MAP_ENTRY)),
            // The page of the map itself, or that of the lock.
            None => Some((page, 0)),
        }
    }

    /// Finds the pages of the WAL up to its last commit.
    ///
    /// As in SQLite, the WAL ends at the first frame whose checksum does not match.
    fn read_wal(&mut self, wal: File) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(256 * 1024, &wal);
        let mut header = [0; WAL_HEADER];
        if !is_read(reader.read_exact(&mut header))? {
            return Ok(());
        }
        let magic = word(&header, 0);
        let is_big_endian = magic & 1 == 1;
        let mut checksum = Checksum::default();
        checksum.add(&header[..24], is_big_endian);
        if magic & !1 != WAL_MAGIC
            || word(&header, 8) as usize != self.page_size
            || checksum != Checksum::read(&header[24..])
        {
            return Ok(());
        }
        let mut frame = vec![0; FRAME_HEADER + self.page_size];
        let (mut uncommitted, mut position) = (Vec::new(), WAL_HEADER as u64);
        while is_read(reader.read_exact(&mut frame))? {
            checksum.add(&frame[..8], is_big_endian);
            checksum.add(&frame[FRAME_HEADER..], is_big_endian);
            if frame[8..16] != header[16..24] || checksum != Checksum::read(&frame[16..24]) {
                break;
            }
            uncommitted.push((word(&frame, 0), position + FRAME_HEADER as u64));
            position += frame.len() as u64;
            let pages = word(&frame, 4);
            if pages > 0 {
                self.pages = pages;
                self.committed.extend(uncommitted.drain(..));
            }
        }
        self.wal = Some(wal);
        Ok(())
    }

    /// Returns the reason why the header of a spool is corrupt in a way that SQLite accepts.
    ///
    /// SQLite would write to such a file, and to pages that are in use.
    pub(super) fn find_corrupt_header(
        &mut self,
        application: u32,
        version: u32,
    ) -> Option<&'static str> {
        let mut header = Vec::with_capacity(HEADER);
        read_at(&self.database, 0, HEADER, &mut header).ok()?;
        // SQLite, which reads the names of the tables, identifies any other file.
        if (word(&header, APPLICATION_AT), word(&header, VERSION_AT)) != (application, version) {
            return None;
        }
        if !matches!(header[FORMATS_AT..LAYOUT_AT], [1, 1] | [2, 2]) {
            return Some("its header names another format");
        }
        if header.len() < HEADER {
            return Some("it is shorter than a header");
        }
        if header[LAYOUT_AT..LAYOUT_AT + 4] != [0, 64, 32, 32] {
            return Some("its header names another layout of pages");
        }
        if word(&header, AUTO_VACUUM_AT) == 0 || word(&header, ENCODING_AT) != 1 {
            return Some("its header names other settings");
        }
        let first = self.page(1)?;
        if word(&first, PAGES_AT) != self.pages {
            return Some("its header names another number of pages");
        }
        // The list of unused pages begins with one, from which SQLite takes the next ones.
        let is_list = match (word(&first, UNUSED_AT), word(&first, UNUSED_AT + 4)) {
            (0, 0) => true,
            (page, count) => page > 0 && count > 0 && self.is_unused(page),
        };
        (!is_list).then_some("its header names another list of unused pages")
    }
}

/// Returns the size of a page: the usual one, unless the header and page 2 agree on another.
///
/// Page 2 is the first of the pointer map, and begins with the entry of the first table.
fn page_size_of(database: &File) -> usize {
    let bytes_at = |at: usize, length: usize| {
        let mut bytes = Vec::new();
        let is_read = read_at(database, at as u64, length, &mut bytes).is_ok();
        if is_read { bytes } else { Vec::new() }
    };
    let is_page_2 = |at: usize| bytes_at(at, MAP_ENTRY) == [1, 0, 0, 0, 0];
    let stated = match bytes_at(PAGE_SIZE_AT, 2)[..] {
        [0, 1] => 65_536,
        [high, low] => usize::from(u16::from_be_bytes([high, low])),
        _ => PAGE_SIZE,
    };
    let is_other = stated.is_power_of_two() && stated >= 512 && stated != PAGE_SIZE;
    if is_other && is_page_2(stated) && !is_page_2(PAGE_SIZE) {
        return stated;
    }
    PAGE_SIZE
}

/// Appends at most `length` bytes of a file.
fn read_at(mut file: &File, at: u64, length: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    file.take(length as u64).read_to_end(bytes)
}

/// The checksum of a WAL, over the frames so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Checksum(u32, u32);

impl Checksum {
    fn read(bytes: &[u8]) -> Self {
        Self(word(bytes, 0), word(bytes, 4))
    }

    fn add(&mut self, bytes: &[u8], is_big_endian: bool) {
        let read = if is_big_endian {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        let (pairs, _) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in pairs {
            self.0 = self
                .0
                .wrapping_add(read([*a, *b, *c, *d]))
                .wrapping_add(self.1);
            self.1 = self
                .1
                .wrapping_add(read([*e, *f, *g, *h]))
                .wrapping_add(self.0);
        }
    }
}

/// Reads a big-endian word; 0 behind the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    word.map_or(0, |word| u32::from_be_bytes(*word))
}

/// Returns `false` at the end of a file.
fn is_read(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
