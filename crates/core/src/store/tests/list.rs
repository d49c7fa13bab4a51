//! What an administrator looks at.

use super::*;

#[test]
fn the_system_store_s_entries_are_listed_sorted_and_only_if_it_is_safe() {
    let world = World::enrolled();
    let store = world.record().parent().unwrap().to_owned();
    fs::write(store.join("a file"), "").unwrap();
    let user = world.record().file_name().unwrap().to_owned();
    let mut expected = vec!["a file".into(), user];
    expected.sort();
    assert_eq!(world.store.entries().unwrap(), Some(expected));
    fs::set_permissions(&store, PermissionsExt::from_mode(0o777)).unwrap();
    let error = world.store.entries().unwrap_err();
    assert!(matches!(error, StoreError::Insecure { .. }), "{error}");
    // What lies there can be told all the same.
    assert!(world.store.has_entry(&world.account).unwrap());
    fs::remove_dir_all(world.record()).unwrap();
    assert!(!world.store.has_entry(&world.account).unwrap());
    fs::remove_dir_all(&store).unwrap();
    let error = world.store.has_entry(&world.account).unwrap_err();
    assert!(matches!(error, StoreError::Missing(_)), "{error}");
}

#[test]
fn a_stranger_s_file_is_opened_if_it_is_one_and_no_link() {
    let directory = TempDir::new();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink(at("file"), at("link")).unwrap();
    let own = fs::metadata(at("file")).unwrap().uid();
    open_file(&at("file"), &[own]).unwrap();
    for (name, problem) in [("directory", Problem::NotFile), ("link", Problem::Link)] {
        match open_file(&at(name), &[own]).unwrap_err() {
            StoreError::Insecure { problem: found, .. } => assert_eq!(found, problem),
            error => panic!("{error}"),
        }
    }
    for path in [Path::new("/"), Path::new("relative/file")] {
        let error = open_file(path, &[own]).unwrap_err();
        assert!(matches!(error, StoreError::Missing(_)), "{error}");
    }
}

#[test]
fn how_long_anybody_waits_is_told_without_knowing_who() {
    let world = World::enrolled();
    let wait = || {
        let mut record = world.open();
        let state = record.state().unwrap();
        RULES.longest_wait(record.tokens(), &state, NOW)
    };
    assert_eq!(wait(), 0);
    for _ in 0..3 {
        assert_eq!(word(&mut world.open(), &code(1, 50)), "wrong_code");
    }
    assert_eq!(wait(), 30);
}

#[test]
fn a_glance_reads_what_others_keep_locked_and_locks_nothing_itself() {
    let world = World::enrolled();
    assert_eq!(word(&mut world.open(), &code(1, 50)), "wrong_code");
    let (record, locked) = (world.open(), world.open());
    let directory = locked.files.directory.opened().unwrap();
    let state = locked.files.state.as_ref().unwrap();
    let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    for file in [directory, &state.file] {
        rustix::fs::flock(file, exclusive).unwrap();
    }
    assert_eq!(record.glance().unwrap().history().failures, 1);
    drop(locked);
    assert_eq!(world.open().state().unwrap(), record.glance().unwrap());
    let slots = [0; FILE];
    fs::write(world.record().join(STATE_FILE), slots).unwrap();
    let error = world.open().glance().unwrap_err();
    assert!(matches!(error, StoreError::State { .. }), "{error}");
}
