package dev.sund.kube.manifest;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kube.object.AddressMethodText;
import dev.sund.kube.object.Field;
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
 * </pre>
 */
public final class FabricObject {
  static final ObjectRef REF = new ObjectRef("Fabric", "sund");

  private static final String API_VERSION = "sund.dev/v1alpha1";
  private static final int LEAST_MTU = 576;
  private static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "vni", "vxlanPort", "mtu", "ipam", "reserved")
          .use("nodeAddressV4", "nodeAddressV6");

  private static final Map<String, Mode> MODES =
      Map.of("kubernetes", Mode.KUBERNETES, "pools", Mode.POOLS);

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
    return text.toString();
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
                        "Its fields are vni, vxlanPort, mtu, ipam, reserved, nodeAddressV4 and"
                            + " nodeAddressV6."),
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
    return root.finish(() ->
        new FabricSettings(vni, port, mtu).with(new AddressSettings(mode, reserved)).with(methods));
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
