package dev.sund.engine;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.model.NodeName;
import java.util.List;
import java.util.Optional;
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
    implements Comparable<Claimant>, Claims.Standing {
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

  /** What a node claims its addresses and its pod ranges as. */
  static Claimant of(Node node) {
    return new Claimant(Rank.NODE, node.created(), node.uid(), Kind.NODE, node.name().text());
  }

  /** What a pool claims its range as. */
  static Claimant of(IpPool pool) {
    return new Claimant(Rank.POD, pool.created(), pool.uid(), Kind.POOL, pool.name());
  }

  /** What a pod claims addresses as, while the API shows it. */
  static Claimant of(Pod pod, NodeName self) {
    Rank rank = pod.node().equals(Optional.of(self)) ? Rank.UNATTACHED : Rank.POD;
    return new Claimant(rank, pod.created(), pod.uid(), Kind.POD, pod.key().toString());
  }

  /**
   * What an attachment claims addresses as: as old as its pod, once the API shows that.
   *
   * @param shown the pod of its name, which may be a later one
   */
  static Claimant of(String device, Attachment attachment, Optional<Pod> shown) {
    Optional<Pod> pod = shown.filter(seen -> seen.uid().equals(attachment.uid()));
    return new Claimant(
        pod.map(Pod::finished).orElse(false) ? Rank.FINISHED : Rank.POD,
        pod.map(Pod::created).orElse(Long.MAX_VALUE),
        PodDevices.identity(attachment),
        Kind.ATTACHMENT,
        device);
  }

  @Override
  public Optional<Claimant> holder() {
    return Optional.of(this);
  }

  @Override
  public List<Claimant> all() {
    return List.of(this);
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
