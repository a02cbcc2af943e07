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
 * What the rules of {@code inet sund-policy} have dropped: each packet once, by pod, direction and
 * reason. The kernel keeps the numbers, whoever runs an agent beside it; they begin anew when the
 * table is made anew, and those of a pod go with it.
 */
public final class PolicyDrops {
  private static final NftTable TABLE = PolicyLowering.TABLE;
  private static final String DROPS = "drops-";

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
   * Reads all of them, in no order; none where there is no such table.
   *
   * @throws KernelException when the kernel could not be read
   */
  public static List<Count> read(NetNs namespace) throws KernelException {
    try (NftSocket socket = NftSocket.open(namespace)) {
      List<Count> all = new ArrayList<>();
      Optional<NftTable> table = socket.table(TABLE.family(), TABLE.name());
      if (table.isEmpty() || !TableCheck.isOurs(table.get())) {
        return all;
      }
      for (NftSet set : socket.sets(TABLE.family(), TABLE.name())) {
        if (set.name().startsWith(DROPS)) {
          for (NftCount count : socket.counts(TABLE.family(), TABLE.name(), set.name())) {
            all.add(count(set.name(), count));
          }
        }
      }
      return all;
    } catch (KernelException.NotFound _) {
      return List.of(); // the table went meanwhile
    }
  }

  private static Count count(String set, NftCount count) {
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      for (Family family : Family.values()) {
        int length = family.bytes();
        if (set.equals(PolicyLowering.drops(direction, family))
            && count.key().length() == length + Integer.BYTES) {
          int priority = FrontendKeys.host(count.key().slice(length, length + Integer.BYTES));
          return new Count(
              Optional.of(Ip.of(count.key().slice(0, length).toArray())),
              "",
              direction,
              Said.ofPriority(priority)
                  .filter(said -> said != Said.ALLOWED)
                  .map(said -> said.reason(direction).code())
                  .orElse("priority-%08x".formatted(priority)),
              count.packets(),
              count.bytes());
        }
      }
    }
    // All others are kept by the device of whoever sends from an address that is not his.
    return new Count(
        Optional.empty(),
        PolicyLowering.device(count.key()),
        Direction.EGRESS,
        Reason.SOURCE_NOT_OWN.code(),
        count.packets(),
        count.bytes());
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
              ops.add(deletion(set, key));
            }
          }
        }
      }
    }
    if (!devices.isEmpty()) {
      for (NftElement element : nft.elements(PolicyLowering.DROPS_SOURCE)) {
        if (element.key().length() >= NftType.IFNAME.length()
            && devices.contains(PolicyLowering.device(element.key()))) {
          ops.add(deletion(PolicyLowering.DROPS_SOURCE, element.key()));
        }
      }
    }
    if (!ops.isEmpty() && nft.commit(ops) instanceof Commit.Refused refused) {
      refused.orThrow();
    }
  }

  private static NftOp deletion(String set, Bytes key) {
    return new NftOp.DeleteElements(TABLE.family(), TABLE.name(), set, List.of(NftElement.of(key)));
  }
}
