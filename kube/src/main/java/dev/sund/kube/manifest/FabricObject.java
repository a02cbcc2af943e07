package dev.sund.kube.manifest;

import dev.sund.engine.FabricServices;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kube.object.AddressMethodText;
import dev.sund.kube.object.Field;
import dev.sund.kube.object.NodePortRanges;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.Problem;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code sund.dev/v1alpha1 Fabric}: what an operator sets for the fabric as a whole, the same on
 * every node. It is Sund's own, so a field that it does not have is an error.
 *
 * <pre>
 * apiVersion: sund.dev/v1alpha1
 * kind: Fabric
 * vni: 4096
 * vxlanPort: 4789
 * mtu: 1400
 * ipam: pools
 * reserved: [10.244.0.0/28]
 * nodeAddressV4: can-reach=192.168.1.1
 * nodeAddressV6: kubernetes-internal-ip
 * services:
 *   enabled: true
 *   nodePortAddresses: [primary]
 *   choice: by-client
 * policies:
 *   strict: true
 * </pre>
 */
public final class FabricObject {
  static final ObjectRef REF = new ObjectRef("Fabric", "sund");

  private static final String API_VERSION = "sund.dev/v1alpha1";
  private static final int LEAST_MTU = 576;
  private static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "vni", "vxlanPort", "mtu", "ipam", "reserved")
          .use("nodeAddressV4", "nodeAddressV6")
          .use("services", Shape.object().use("enabled", "nodePortAddresses", "choice"))
          .use("policies", Shape.object().use("strict"));

  private static final Map<String, Mode> MODES =
      Map.of("kubernetes", Mode.KUBERNETES, "pools", Mode.POOLS);

  private static final Map<String, EndpointChoice> CHOICES =
      Map.of("random", EndpointChoice.RANDOM, "by-client", EndpointChoice.BY_CLIENT);

  private FabricObject() {}

  /** The text of a file that sets this. */
  public static String text(FabricSettings settings) {
    StringBuilder text = new StringBuilder("apiVersion: " + API_VERSION + "\nkind: Fabric\n");
    text.append("vni: ").append(settings.vni()).append('\n');
    text.append("vxlanPort: ").append(settings.vxlanPort()).append('\n');
    settings.mtu().ifPresent(mtu -> text.append("mtu: ").append(mtu).append('\n'));
    AddressSettings addresses = settings.addresses();
    if (addresses.mode() == Mode.POOLS) {
      text.append("ipam: pools\n");
    }
    if (!addresses.reserved().isEmpty()) {
      List<String> reserved = addresses.reserved().stream().map(r -> "\"" + r + "\"").toList();
      text.append("reserved: [").append(String.join(", ", reserved)).append("]\n");
    }
    for (Family family : Family.values()) {
      AddressMethod method = settings.nodeAddresses().get(family);
      if (method != null) {
        text.append(field(family)).append(": \"");
        text.append(method.text().replace("\\", "\\\\").replace("\"", "\\\"")).append("\"\n");
      }
    }
    services(settings.services(), text);
    if (settings.strict()) {
      text.append("policies:\n  strict: true\n");
    }
    return text.toString();
  }

  private static void services(FabricServices services, StringBuilder text) {
    if (services.equals(FabricServices.UNSET)) {
      return;
    }
    text.append("services:\n");
    services.enabled().ifPresent(on -> text.append("  enabled: ").append(on).append('\n'));
    services
        .nodePorts()
        .ifPresent(where ->
            text.append("  nodePortAddresses: [")
                .append(String.join(", ", words(where)))
                .append("]\n"));
    services
        .choice()
        .ifPresent(choice -> text.append("  choice: ").append(word(choice)).append('\n'));
  }

  private static List<String> words(NodePorts where) {
    return switch (where) {
      case NodePorts.AllLocal() -> List.of("all");
      case NodePorts.Primary() -> List.of("primary");
      case NodePorts.Within(List<Prefix> ranges) when ranges.isEmpty() -> List.of("localhost");
      case NodePorts.Within(List<Prefix> ranges) ->
          ranges.stream().map(range -> "\"" + range + "\"").toList();
    };
  }

  private static String word(EndpointChoice choice) {
    return switch (choice) {
      case RANDOM -> "random";
      case BY_CLIENT -> "by-client";
    };
  }

  /** The object that sets this, as a tree. */
  public static Tree.Mapping tree(FabricSettings settings) {
    Map<String, Tree> fields = new LinkedHashMap<>();
    fields.put("apiVersion", Tree.Scalar.text(API_VERSION));
    fields.put("kind", Tree.Scalar.text("Fabric"));
    fields.put("vni", Tree.Scalar.plain(settings.vni()));
    fields.put("vxlanPort", Tree.Scalar.plain(settings.vxlanPort()));
    settings.mtu().ifPresent(mtu -> fields.put("mtu", Tree.Scalar.plain(mtu)));
    for (Family family : Family.values()) {
      AddressMethod method = settings.nodeAddresses().get(family);
      if (method != null) {
        fields.put(field(family), Tree.Scalar.text(method.text()));
      }
    }
    return Tree.Mapping.of(fields);
  }

  private static String field(Family family) {
    return switch (family) {
      case V4 -> "nodeAddressV4";
      case V6 -> "nodeAddressV6";
    };
  }

  static boolean is(String apiVersion, String kind) {
    return apiVersion.equals(API_VERSION) && kind.equals("Fabric");
  }

  static Parsed<FabricSettings> parse(Tree.Mapping tree) {
    List<Problem> problems = new ArrayList<>();
    SHAPE.check(
        tree,
        (path, value, _) ->
            problems.add(
                new Problem(
                    new Condition(
                        Reason.UNKNOWN_FIELD,
                        REF,
                        path,
                        "a Fabric has no such field.",
                        remedy(path)),
                    value.line(),
                    value.column())));
    Field root = Field.root(REF, tree, problems);
    FabricSettings otherwise = FabricSettings.DEFAULT;
    int vni = root.at("vni").number(1, (1 << 24) - 1).orElse(otherwise.vni());
    int port = root.at("vxlanPort").number(1, 65535).orElse(otherwise.vxlanPort());
    OptionalInt mtu = mtu(root.at("mtu"));
    Mode mode = root.at("ipam").oneOf(MODES).orElse(Mode.KUBERNETES);
    List<Prefix> reserved =
        root.at("reserved").items().stream()
            .flatMap(item -> item.prefix("10.244.0.0/28").stream())
            .toList();
    Map<Family, AddressMethod> methods = new EnumMap<>(Family.class);
    for (Family family : Family.values()) {
      AddressMethodText.read(root.at(field(family)), family)
          .ifPresent(method -> methods.put(family, method));
    }
    FabricServices services = services(root.at("services"));
    boolean strict = root.at("policies").at("strict").truth(false);
    return root.finish(() ->
        new FabricSettings(vni, port, mtu)
            .with(new AddressSettings(mode, reserved))
            .with(methods)
            .with(services)
            .withStrict(strict));
  }

  private static String remedy(String path) {
    if (path.startsWith("services.")) {
      return "The fields of its services are enabled, nodePortAddresses and choice.";
    }
    if (path.startsWith("policies.")) {
      return "The field of its policies is strict.";
    }
    return "Its fields are vni, vxlanPort, mtu, ipam, reserved, nodeAddressV4, nodeAddressV6,"
        + " services and policies.";
  }

  private static FabricServices services(Field field) {
    Field enabled = field.at("enabled");
    return new FabricServices(
        enabled.present() ? Optional.of(enabled.truth(true)) : Optional.empty(),
        NodePortRanges.read(field.at("nodePortAddresses")),
        field.at("choice").oneOf(CHOICES));
  }

  private static OptionalInt mtu(Field field) {
    Optional<Integer> mtu = field.number(1, 65535);
    if (mtu.isPresent() && mtu.get() < LEAST_MTU) {
      field.problem(
          Reason.MTU_TOO_SMALL,
          mtu.get() + " is less than the 576 bytes that every IPv4 link takes (IPv6: 1280).",
          "Write 1280 or more, or leave it out to have it computed.");
      return OptionalInt.empty();
    }
    return mtu.isPresent() ? OptionalInt.of(mtu.get()) : OptionalInt.empty();
  }
}
