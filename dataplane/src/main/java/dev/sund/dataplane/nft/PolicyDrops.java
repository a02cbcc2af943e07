package dev.sund.dataplane.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftCount;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What the rules of {@code inet sund-policy} and {@code bridge sund-policy} have dropped: each
 * packet once, by pod, direction and reason. The kernel keeps the numbers, whoever runs an agent
 * beside it; they begin anew when a table is made anew, and those of a pod go with it.
 */
public final class PolicyDrops {
  private static final NftTable TABLE = PolicyLowering.TABLE;

  /** What sets of counters begin with. */
  static final String DROPS = "drops-";

  private PolicyDrops() {}

  /**
   * What was dropped of one pod, in one direction, for one reason.
   *
   * @param pod the pod's address; empty where it is known by its device
   * @param device the pod's device; empty where the pod is known by its address
   * @param direction in which the pod was asked about
   * @param reason a reason's code
   * @param packets how many
   * @param bytes the same packets'
   */
  public record Count(
      Optional<Ip> pod,
      String device,
      Direction direction,
      String reason,
      long packets,
      long bytes) {
    /** What is counted, without how much: {@code 10.244.1.5 in policy-ingress}. */
    public String key() {
      return pod.map(Ip::toString).orElse(device) + " " + direction.label() + " " + reason;
    }
  }

  /**
   * Reads all of them, in no order; none where there are no such tables.
   *
   * @throws KernelException when the kernel could not be read
   */
  public static List<Count> read(NetNs namespace) throws KernelException {
    try (NftSocket socket = NftSocket.open(namespace)) {
      List<Count> all = new ArrayList<>(read(socket, TABLE));
      all.addAll(read(socket, BridgeLowering.TABLE));
      return all;
    }
  }

  private static List<Count> read(NftSocket socket, NftTable from) throws KernelException {
    List<Count> all = new ArrayList<>();
    try {
      Optional<NftTable> table = socket.table(from.family(), from.name());
      if (table.isEmpty() || !TableCheck.isOurs(table.get())) {
        return List.of();
      }
      for (NftSet set : socket.sets(from.family(), from.name())) {
        if (set.name().startsWith(DROPS)) {
          for (NftCount count : socket.counts(from.family(), from.name(), set.name())) {
            count(set.name(), count).ifPresent(all::add);
          }
        }
      }
      return all;
    } catch (KernelException.NotFound _) {
      return List.of(); // the table went meanwhile
    }
  }

  /** Empty for a set of nobody's that is known. */
  private static Optional<Count> count(String set, NftCount count) {
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      for (Family family : Family.values()) {
        int length = family.bytes();
        if (set.equals(PolicyLowering.drops(direction, family))
            && count.key().length() == length + Integer.BYTES) {
          int priority = FrontendKeys.host(count.key().slice(length, length + Integer.BYTES));
          return Optional.of(
              new Count(
                  Optional.of(Ip.of(count.key().slice(0, length).toArray())),
                  "",
                  direction,
                  Said.ofPriority(priority)
                      .filter(said -> said != Said.ALLOWED)
                      .map(said -> said.reason(direction).code())
                      .orElse("priority-%08x".formatted(priority)),
                  count.packets(),
                  count.bytes()));
        }
      }
    }
    // All others are kept by the device of the container that they are about.
    return DropSite.ofPrefix(set.substring(DROPS.length()))
        .map(site ->
            new Count(
                Optional.empty(),
                PolicyLowering.device(count.key()),
                site.direction(),
                site.reason().map(Reason::code).orElse(set),
                count.packets(),
                count.bytes()));
  }

  /**
   * Forgets what was counted of pods that are gone, so that it is not told of who gets their
   * addresses.
   *
   * @param nft a port to the table
   * @param addresses that pods had
   * @param devices that pods had
   */
  static void forget(NftPort nft, Collection<Ip> addresses, Collection<String> devices)
      throws KernelException {
    List<NftOp> ops = new ArrayList<>();
    for (Family family : Family.values()) {
      if (addresses.stream().anyMatch(ip -> ip.family() == family)) {
        for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
          String set = PolicyLowering.drops(direction, family);
          for (NftElement element : nft.elements(set)) {
            Bytes key = element.key();
            if (key.length() > family.bytes()
                && addresses.contains(Ip.of(key.slice(0, family.bytes()).toArray()))) {
              ops.add(deletion(TABLE, set, key));
            }
          }
        }
      }
    }
    if (!devices.isEmpty()) {
      ops.addAll(deletions(nft, TABLE, DropSite.SOURCE, devices));
    }
    commit(nft, ops);
  }

  /** As {@link #forget}, of the table of frames. */
  static void forgetPorts(NftPort nft, Collection<String> devices) throws KernelException {
    List<NftOp> ops = new ArrayList<>();
    for (DropSite site : BridgeLowering.DROPS_AT) {
      ops.addAll(deletions(nft, BridgeLowering.TABLE, site, devices));
    }
    commit(nft, ops);
  }

  private static List<NftOp> deletions(
      NftPort nft, NftTable table, DropSite site, Collection<String> devices)
      throws KernelException {
    List<NftOp> ops = new ArrayList<>();
    for (NftElement element : nft.elements(site.set())) {
      if (element.key().length() >= NftType.IFNAME.length()
          && devices.contains(PolicyLowering.device(element.key()))) {
        ops.add(deletion(table, site.set(), element.key()));
      }
    }
    return ops;
  }

  private static void commit(NftPort nft, List<NftOp> ops) throws KernelException {
    if (!ops.isEmpty() && nft.commit(ops) instanceof Commit.Refused refused) {
      refused.orThrow();
    }
  }

  private static NftOp deletion(NftTable table, String set, Bytes key) {
    return new NftOp.DeleteElements(table.family(), table.name(), set, List.of(NftElement.of(key)));
  }
}
