package dev.sund.engine;

import org.jspecify.annotations.Nullable;

/**
 * Somebody who wants addresses, in the order in which wishes are granted: by rank, then the older
 * object, then uid, then name.
 *
 * @param rank how good the claim is, whatever its age
 * @param created the object's creation in seconds since 1970, {@link Long#MAX_VALUE} when unknown
 * @param uid the object's uid
 * @param kind what the claimant is
 * @param name the node's, pod's, pool's name, or the attachment's device
 */
record Claimant(Rank rank, long created, String uid, Kind kind, String name)
    implements Comparable<Claimant> {
  /** How good a claim is. */
  enum Rank {
    /** A node's own address: no pod can take it away. */
    NODE,
    /** A pod that has, or is said to have, its network. */
    POD,
    /** A pod of this node that the API shows with an address, but that has no network here. */
    UNATTACHED,
    /** A pod that has finished, while its network is still there. */
    FINISHED
  }

  /** What a claimant is, and so in which index its name is looked up. */
  enum Kind {
    NODE,
    ATTACHMENT,
    POD,
    POOL,
    /** A container in another plugin's network; its claimant's name is the container's. */
    CONTAINER
  }

  @Override
  public int compareTo(Claimant other) {
    int order = Integer.compare(rank.ordinal(), other.rank.ordinal());
    if (order == 0) {
      order = Long.compare(created, other.created);
    }
    if (order == 0) {
      order = uid.compareTo(other.uid);
    }
    if (order == 0) {
      order = Integer.compare(kind.ordinal(), other.kind.ordinal());
    }
    return order == 0 ? name.compareTo(other.name) : order;
  }

  /** Written out, as much depends on it: asked several times for each row of a program. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Claimant claimant
        && created == claimant.created
        && rank == claimant.rank
        && kind == claimant.kind
        && name.equals(claimant.name)
        && uid.equals(claimant.uid);
  }

  @Override
  public int hashCode() {
    return 31 * uid.hashCode() + name.hashCode();
  }
}
