package dev.sund.dataplane.nft;

import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The four kinds of frontends that have maps and chains of their own: of each family, those at one
 * address, and those at all of the node's addresses, whose keys have no address.
 *
 * <p>It also knows the layout of the packet mark by which a frontend says what comes next.
 */
enum FrontendGroup {
  V4(Family.V4, false),
  V6(Family.V6, false),
  NODE_V4(Family.V4, true),
  NODE_V6(Family.V6, true);

  /** The bit of the mark: every source is translated. */
  static final int ALWAYS = 0x1000;

  private static final int NUMBER = 0xfff;
  private static final int REJECT = 0;
  private static final int DROP = 0xfff;

  private final Family family;
  private final boolean node;

  FrontendGroup(Family family, boolean node) {
    this.family = family;
    this.node = node;
  }

  static FrontendGroup of(Place place) {
    boolean v4 = place.family() == Family.V4;
    return switch (place) {
      case Place.At _ -> v4 ? V4 : V6;
      case Place.AnyLocal _ -> v4 ? NODE_V4 : NODE_V6;
    };
  }

  Family family() {
    return family;
  }

  /** Whether its frontends are at all of the node's addresses. */
  boolean isNode() {
    return node;
  }

  NftFamily nat() {
    return family == Family.V4 ? NftFamily.IP : NftFamily.IP6;
  }

  /** {@code v4} or {@code node-v4}. */
  String label() {
    return (node ? "node-" : "") + family.label();
  }

  String frontends() {
    return "frontends-" + label();
  }

  String endpoints() {
    return "endpoints-" + label();
  }

  /** The chain that translates the destination once the mark names the endpoint. */
  String pick() {
    return "pick-" + label();
  }

  NftType.Field address() {
    return family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR;
  }

  /** The fields of a frontend's key. */
  List<NftType.Field> key() {
    List<NftType.Field> fields = new ArrayList<>();
    if (!node) {
      fields.add(address());
    }
    fields.add(NftType.INET_PROTO);
    fields.add(NftType.INET_SERVICE);
    return fields;
  }

  /** The number of bytes in front of the protocol in a key. */
  int addressBytes() {
    return node ? 0 : family.bytes();
  }

  /** The register in which a field of a key is, by its offset in bytes. */
  static Reg register(int offset) {
    return Reg.word(offset / 4);
  }

  // The mark.

  private int base(MasqueradeClass masquerade) {
    return Marks.FRONTEND_MARK
        | ordinal() << 16
        | switch (masquerade) {
          case KEEP_SOURCE -> 0;
          case ALWAYS, FROM_OUTSIDE, FROM_NODE -> ALWAYS;
        };
  }

  /** The mark of a frontend. */
  static int mark(Frontend frontend) {
    FrontendGroup group = of(frontend.key().place());
    return switch (frontend.inside().action()) {
      case Action.Balance(int endpoints) -> group.base(frontend.inside().masquerade()) | endpoints;
      case Action.Reject() -> group.base(frontend.inside().masquerade()) | REJECT;
      case Action.Drop() -> group.base(frontend.inside().masquerade()) | DROP;
    };
  }

  /** The mark by which an endpoint of a frontend is chosen. */
  int slotMark(MasqueradeClass masquerade, int slot) {
    return base(masquerade) | slot;
  }

  /** The group that a mark belongs to; empty for marks of others. */
  static Optional<FrontendGroup> ofMark(int mark) {
    return (mark & Marks.FRONTEND_MARK_MASK) == Marks.FRONTEND_MARK && (mark & 0xe000) == 0
        ? Optional.of(values()[(mark >>> 16) & 3])
        : Optional.empty();
  }

  static MasqueradeClass masquerade(int mark) {
    return (mark & ALWAYS) == 0 ? MasqueradeClass.KEEP_SOURCE : MasqueradeClass.ALWAYS;
  }

  static Action action(int mark) {
    return switch (mark & NUMBER) {
      case REJECT -> new Action.Reject();
      case DROP -> new Action.Drop();
      default -> new Action.Balance(mark & NUMBER);
    };
  }

  /** The endpoint's number in a mark. */
  static int slot(int mark) {
    return mark & NUMBER;
  }

  /** The chain that chooses among a mark's number of endpoints: {@code lb-node-v4-1}. */
  static String chooser(FrontendGroup group, int mark) {
    return "lb-" + group.label() + "-" + (mark & NUMBER) + ((mark & ALWAYS) == 0 ? "" : "-masq");
  }
}
