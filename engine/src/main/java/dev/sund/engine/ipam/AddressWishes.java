package dev.sund.engine.ipam;

import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a pod asks of its addresses, by Calico's annotations of the pod and of its namespace; the
 * pod's count more.
 *
 * @param addresses {@code ipAddrs}: those that it must have, of ranges that may be given; and no
 *     others
 * @param unmanaged {@code ipAddrsNoIpam}: those that it must have, whatever range they are of;
 *     nobody looks after them
 * @param pools {@code ipv4pools} and {@code ipv6pools}: the pools, by name or range, that its
 *     address of a family must come from
 */
public record AddressWishes(List<Ip> addresses, List<Ip> unmanaged, Map<Family, PoolWish> pools) {
  /** No wish. */
  public static final AddressWishes NONE = new AddressWishes(List.of(), List.of(), Map.of());

  /** Addresses from the pools. */
  public static final String ADDRESSES = "cni.projectcalico.org/ipAddrs";

  /** Addresses of whatever range. */
  public static final String UNMANAGED = "cni.projectcalico.org/ipAddrsNoIpam";

  /** The IPv4 pools. */
  public static final String POOLS_V4 = "cni.projectcalico.org/ipv4pools";

  /** The IPv6 pools. */
  public static final String POOLS_V6 = "cni.projectcalico.org/ipv6pools";

  /** Addresses that reach the pod from outside: what Sund does not do. */
  public static final String FLOATING = "cni.projectcalico.org/floatingIPs";

  /** The pod's MAC address: what a runtime asks for instead. */
  public static final String HARDWARE = "cni.projectcalico.org/hwAddr";

  /** The annotations that are read. */
  public static final Set<String> KEYS =
      Set.of(ADDRESSES, UNMANAGED, POOLS_V4, POOLS_V6, FLOATING, HARDWARE);

  private static final Pattern LIST =
      Pattern.compile("\\s*\\[\\s*(\"[^\"\\\\]*\"\\s*(,\\s*\"[^\"\\\\]*\"\\s*)*)?]\\s*");
  private static final Pattern TEXT = Pattern.compile("\"([^\"\\\\]*)\"");

  public AddressWishes {
    addresses = List.copyOf(addresses);
    unmanaged = List.copyOf(unmanaged);
    pools = Map.copyOf(pools);
  }

  /**
   * Which pools are asked for.
   *
   * @param object who asks: the pod or its namespace
   * @param field the annotation, as conditions name it
   * @param names names and ranges, not empty
   */
  public record PoolWish(ObjectRef object, String field, List<String> names) {
    public PoolWish {
      names = List.copyOf(names);
    }

    /** That one of the names cannot be used. */
    public Condition refused(String text, String remedy) {
      return new Condition(Reason.INVALID_FIELD, object, field, text, remedy);
    }
  }

  /** What was read. */
  public sealed interface Reading {
    /** The wishes can be carried out. */
    record Read(AddressWishes wishes) implements Reading {}

    /** One of them cannot. */
    record Refused(Condition why) implements Reading {}
  }

  /**
   * Reads annotations.
   *
   * @param pod {@code NAMESPACE/NAME}
   * @param ofPod the pod's; others than {@link #KEYS} do not matter
   * @param namespace the namespace's name
   * @param ofNamespace the namespace's, of which only the pools count
   */
  public static Reading read(
      String pod, Map<String, String> ofPod, String namespace, Map<String, String> ofNamespace) {
    try {
      Source own = new Source(new ObjectRef("Pod", pod), ofPod);
      Source around = new Source(new ObjectRef("Namespace", namespace), ofNamespace);
      own.refuse(
          FLOATING,
          "Sund does not carry out floating addresses.",
          "Remove the annotation, and use a Service of the type LoadBalancer or a hostPort.");
      own.refuse(
          HARDWARE,
          "Sund takes a pod's MAC address from the runtime alone.",
          "Remove the annotation, or pass the capability mac.");
      List<Ip> addresses = own.addresses(ADDRESSES);
      List<Ip> unmanaged = own.addresses(UNMANAGED);
      if (!addresses.isEmpty() && !unmanaged.isEmpty()) {
        throw own.refusal(
            UNMANAGED, "The pod has " + ADDRESSES + " too.", "Write one of the two annotations.");
      }
      Map<Family, PoolWish> pools = new EnumMap<>(Family.class);
      for (Family family : Family.values()) {
        String key = family == Family.V4 ? POOLS_V4 : POOLS_V6;
        own.pools(key).or(() -> around.pools(key)).ifPresent(wish -> pools.put(family, wish));
      }
      return new Reading.Read(new AddressWishes(addresses, unmanaged, pools));
    } catch (RefusedException e) {
      return new Reading.Refused(e.why);
    }
  }

  /** How an annotation is named in conditions. */
  private static String field(String key) {
    return "metadata.annotations[" + key + "]";
  }

  private static final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient Condition why;

    RefusedException(Condition why) {
      super(why.text());
      this.why = why;
    }
  }

  /** An object's annotations. */
  private record Source(ObjectRef object, Map<String, String> annotations) {
    RefusedException refusal(String key, String text, String remedy) {
      return new RefusedException(
          new Condition(Reason.INVALID_FIELD, object, field(key), text, remedy));
    }

    void refuse(String key, String text, String remedy) {
      if (annotations.containsKey(key)) {
        throw new RefusedException(
            new Condition(Reason.NOT_SUPPORTED, object, field(key), text, remedy));
      }
    }

    List<Ip> addresses(String key) {
      List<Ip> found = new ArrayList<>();
      for (String text : texts(key, "[\"10.244.1.5\"]")) {
        Ip ip =
            Ip.tryParse(text)
                .orElseThrow(() ->
                    refusal(
                        key,
                        "'" + text + "' is not an address.",
                        "Write addresses such as [\"10.244.1.5\", \"fd00::5\"]."));
        if (found.stream().anyMatch(other -> other.family() == ip.family())) {
          throw refusal(
              key,
              "'" + ip + "' is a second address of its family.",
              "Write at most one IPv4 and one IPv6 address.");
        }
        found.add(ip);
      }
      return found;
    }

    Optional<PoolWish> pools(String key) {
      List<String> names = texts(key, "[\"default-ipv4-ippool\"]");
      return names.isEmpty()
          ? Optional.empty()
          : Optional.of(new PoolWish(object, field(key), names));
    }

    /** A list of texts, as JSON has it. */
    private List<String> texts(String key, String example) {
      String value = annotations.get(key);
      if (value == null) {
        return List.of();
      }
      if (!LIST.matcher(value).matches()) {
        throw refusal(
            key, "'" + value + "' is not a JSON list of texts.", "Write " + example + ".");
      }
      List<String> texts = new ArrayList<>();
      Matcher text = TEXT.matcher(value);
      while (text.find()) {
        texts.add(text.group(1));
      }
      if (texts.isEmpty()) {
        throw refusal(key, "The list is empty.", "Write " + example + ", or no annotation.");
      }
      return texts;
    }
  }
}
