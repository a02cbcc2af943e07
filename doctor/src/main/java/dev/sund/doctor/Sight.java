package dev.sund.doctor;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What of a node cannot be seen though its files are there: from within a container or another
 * network, and of a recorded tree what could not be read when it was recorded.
 */
final class Sight {
  private final NodeFiles files;
  private final Set<Blind> blind;
  private @Nullable Map<String, UnreadException> recorded;

  Sight(NodeFiles files, Set<Blind> blind) {
    this.files = files;
    this.blind = Set.copyOf(blind);
  }

  /** Throws when a file or folder of this path is not to be read, whatever is there. */
  void refuse(String path) throws UnreadException {
    refuseUnread(path);
    Optional<UnreadException> why = whyUnseen(path);
    if (why.isPresent()) {
      throw why.get();
    }
  }

  /** Throws when this path could not be read when the tree was recorded. */
  void refuseUnread(String path) throws UnreadException {
    Optional<UnreadException> why = whyUnread(path);
    if (why.isPresent()) {
      throw why.get();
    }
  }

  /** Throws when a file says something, but of this process's network and not of the root's. */
  void refuseOtherNetwork(String path) throws UnreadException {
    // The kernel answers for it with the reader's network, wherever it is mounted.
    if (path.startsWith("proc/sys/net/") && files.haveAnotherNetwork()) {
      throw notTheNetworkOf(path, "that of " + files.root());
    }
  }

  /** Why what is at a path here is not the node's. */
  Optional<UnreadException> whyUnseen(String path) {
    if (blind.contains(Blind.FILES) && !isOfTheKernel(path)) {
      return Optional.of(
          new UnreadException(
              "/" + path + " is a container's here and not the node's",
              "Mount the node's file systems and name their root (--root, --host-root)."));
    }
    boolean ofNetwork =
        path.startsWith("proc/sys/net/")
            || path.startsWith("sys/class/net")
            || path.startsWith("proc/net/") && !files.isOfFirstProcess(path);
    return blind.contains(Blind.NETWORK) && ofNetwork
        ? Optional.of(notTheNetworkOf(path, "the node's"))
        : Optional.empty();
  }

  private static UnreadException notTheNetworkOf(String path, String whose) {
    return new UnreadException(
        "/" + path + " shows this process's own network and not " + whose,
        "Run it in the node's network namespace (hostNetwork: true).");
  }

  /** What the kernel says alike in all containers: no file of a disk, no process. */
  private static boolean isOfTheKernel(String path) {
    return path.startsWith("sys/")
        || path.startsWith(Host.FACTS + "/")
        || path.startsWith("proc/") && !Character.isDigit(path.charAt("proc/".length()));
  }

  /** Why a path could not be read when the tree was recorded. */
  Optional<UnreadException> whyUnread(String path) {
    UnreadException why = recorded().get(path);
    return why == null
        ? Optional.empty()
        : Optional.of(new UnreadException(String.valueOf(why.getMessage()), why.remedy()));
  }

  private Map<String, UnreadException> recorded() {
    Map<String, UnreadException> known = recorded;
    if (known == null) {
      known = Map.of();
      try {
        if (files.areRecorded()) {
          known = files.text(Host.UNREAD).map(Recording::unreadOf).orElse(known);
        }
      } catch (UnreadException e) {
        known = Map.of(Host.UNREAD, e);
      }
      recorded = known;
    }
    return known;
  }
}
