//! Finds circles: groups of files of which each reaches each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The files that each file refers to, with the first path that does.
pub(super) type Edges = BTreeMap<usize, BTreeMap<usize, String>>;

/// Returns a shortest circle of each group; the last file leads to the first.
pub(super) fn circles(edges: &Edges) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut grouped = BTreeSet::new();
    for start in edges.keys().copied() {
        if grouped.contains(&start) {
            continue;
        }
        let group: BTreeSet<_> = reached(edges, start)
            .into_iter()
            .filter(|file| reached(edges, *file).contains(&start))
            .collect();
        let shortest = group.iter().filter_map(|file| shortest(edges, *file));
        found.extend(shortest.min_by_key(Vec::len));
        grouped.extend(group);
    }
    found
}

/// Returns the files in circles: those that reach themselves.
pub(super) fn files_in_circles(edges: &Edges) -> usize {
    let files = edges.keys();
    files
        .filter(|file| reached(edges, **file).contains(*file))
        .count()
}

fn targets(edges: &Edges, file: usize) -> impl Iterator<Item = usize> {
    edges
        .get(&file)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .copied()
}

fn reached(edges: &Edges, start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        open.extend(targets(edges, file).filter(|target| reached.insert(*target)));
    }
    reached
}

/// Returns the shortest way from a file back to it, without the return.
fn shortest(edges: &Edges, start: usize) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for target in targets(edges, file) {
            if target == start {
                let mut way = vec![file];
                while let Some(before) = came_from.get(&way[way.len() - 1]) {
                    way.push(*before);
                }
                way.reverse();
                return Some(way);
            }
            came_from.entry(target).or_insert_with(|| {
                open.push_back(target);
                file
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> Edges {
        let mut edges = Edges::new();
        for (from, to) in pairs {
            edges.entry(*from).or_default().insert(*to, String::new());
        }
        edges
    }

    #[test]
    fn each_group_is_one_circle() {
        let edges = edges(&[(0, 1), (1, 2), (2, 0), (2, 1), (3, 0), (4, 5), (5, 4)]);
        assert_eq!(circles(&edges), [vec![1, 2], vec![4, 5]]);
        assert_eq!(files_in_circles(&edges), 5);
    }

    #[test]
    fn imports_one_way_are_no_circle() {
        let edges = edges(&[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(circles(&edges), [] as [Vec<usize>; 0]);
        assert_eq!(files_in_circles(&edges), 0);
    }
}
