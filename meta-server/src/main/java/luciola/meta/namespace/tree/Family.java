package luciola.meta.namespace.tree;

/**
 * Key families; each is ordered by its keys as unsigned bytes. Numbers in keys are big-endian.
 *
 * <pre>
 *  INODE    inode id                       Inode
 *  DENTRY   parent id, name                StoredDentry
 *  SESSION  inode id, client, session      StoredSession
 *  GARBAGE  time, inode id                 Inode: what is left to remove
 *  REQUEST  client, sequence               NamespaceReply; sequence 0: newest dropped sequence
 *  CLUSTER  kind, number                   StoredCluster
 *  EXTENDED inode id, name                 value of an extended attribute
 *  LOCK     inode, kind, client, owner, first byte   StoredLock
 *           0, client                      StoredLockSession
 *  COUNTER  (empty)                        NamespaceCounters
 *  ACCESS   kind, number                   StoredAccess
 *  QUOTA    kind, numbers                  see {@link UsageRecords}
 * </pre>
 */
public enum Family {
  INODE,
  DENTRY,
  SESSION,
  GARBAGE,
  REQUEST,
  CLUSTER,
  EXTENDED,
  LOCK,
  COUNTER,
  ACCESS,
  QUOTA
}
