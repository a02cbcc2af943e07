package dev.sund.doctor.check;

import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many addresses host-local's ranges have. */
final class Ranges {
  private static final Pattern SUBNET = Pattern.compile("(?m)^FLANNEL_SUBNET=(\\S+)");
  private static final long MANY = 1L << 40;

  private Ranges() {}

  /** Of flannel's subnet of the node; 0 when it is not said. */
  static long flannel(String environment) {
    Matcher subnet = SUBNET.matcher(environment);
    return subnet.find() ? size(subnet.group(1)) : 0;
  }

  /** The smallest of the sets of ranges: a pod gets one address of each. 0 when none is said. */
  static long of(Tree.Mapping ipam) {
    long least = ipam.text("subnet").map(one -> range(ipam)).orElse(0L);
    if (ipam.get("ranges").orElse(null) instanceof Tree.Sequence sets) {
      for (Tree set : sets.items()) {
        long sum = 0;
        if (set instanceof Tree.Sequence ranges) {
          for (Tree range : ranges.items()) {
            sum += range instanceof Tree.Mapping one ? range(one) : 0;
          }
        }
        least = sum > 0 && (least == 0 || sum < least) ? sum : least;
      }
    }
    return least;
  }

  private static long range(Tree.Mapping range) {
    Optional<Ip> first = range.text("rangeStart").flatMap(Ip::tryParse);
    Optional<Ip> last = range.text("rangeEnd").flatMap(Ip::tryParse);
    if (first.isPresent() && last.isPresent()) {
      BigInteger count = new AddressSpan("", first.get(), last.get()).size();
      return count.min(BigInteger.valueOf(MANY)).longValue();
    }
    return size(range.text("subnet").orElse(""));
  }

  /** Without the network's own address, the last one, and the gateway's. */
  private static long size(String subnet) {
    int slash = subnet.indexOf('/');
    if (slash < 0 || !subnet.substring(slash + 1).matches("\\d{1,3}")) {
      return 0;
    }
    Optional<Ip> address = Ip.tryParse(subnet.substring(0, slash));
    if (address.isEmpty()) {
      return 0;
    }
    int free =
        (address.get().family() == Family.V4 ? 32 : 128)
            - Integer.parseInt(subnet.substring(slash + 1));
    return free >= 40 ? MANY : Math.max(0, (1L << Math.max(free, 0)) - 3);
  }
}
