package dev.sund.doctor.probe;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** From which address a pod of this node would send. */
public final class PodSource {
  private static final String FLANNEL = "run/flannel/subnet.env";
  private static final Pattern SUBNET =
      Pattern.compile("(?m)^FLANNEL_(IPV6_)?SUBNET=([0-9a-fA-F.:]+)/");

  private PodSource() {}

  /** Of each family the address of a pod that is there, or else one of flannel's range. */
  public static List<Ip> of(Host host) {
    return Stream.of(Family.values()).flatMap(family -> of(host, family).stream()).toList();
  }

  private static Optional<Ip> of(Host host, Family family) {
    try {
      for (Line line : host.lines(Facts.PODS)) {
        for (String address : line.list("addresses")) {
          Optional<Ip> ip = plain(address);
          if (ip.filter(one -> isPods(one, family)).isPresent()) {
            return ip;
          }
        }
      }
    } catch (UnreadException _) {
      // then what files say
    }
    try {
      Matcher subnet = SUBNET.matcher(host.textIfThere(FLANNEL).orElse(""));
      while (subnet.find()) {
        Optional<Ip> gateway = Ip.tryParse(subnet.group(2));
        if (gateway.filter(one -> isPods(one, family)).isPresent()) {
          return gateway.map(one -> one.plus(1));
        }
      }
    } catch (UnreadException _) {
      // then none is known
    }
    return Optional.empty();
  }

  /** Without the length of its subnet. */
  private static Optional<Ip> plain(String address) {
    int slash = address.indexOf('/');
    return Ip.tryParse(slash < 0 ? address : address.substring(0, slash));
  }

  private static boolean isPods(Ip ip, Family family) {
    return ip.family() == family && !ip.isLinkLocal() && !ip.isLoopback();
  }
}
