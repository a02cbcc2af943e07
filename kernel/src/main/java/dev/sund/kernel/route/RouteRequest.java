package dev.sund.kernel.route;

import static dev.sund.kernel.netlink.Netlink.NLM_F_CREATE;
import static dev.sund.kernel.netlink.Netlink.NLM_F_EXCL;
import static dev.sund.kernel.netlink.Netlink.NLM_F_REPLACE;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One change of links, addresses, routes, rules, neighbours or FDB. Plain data: written by {@link
 * RouteSocket#apply}.
 *
 * <p>{@code Create...} is exclusive and ends in {@link Outcome#ALREADY_THERE} when the key is
 * taken; {@code Put...} makes or replaces; {@code Delete...} ends in {@link Outcome#ALREADY_GONE}
 * when there is nothing.
 */
public sealed interface RouteRequest {
  /** What kind of change it is: decides what EEXIST and ENOENT mean. */
  enum Intent {
    /** Make something that is not there. */
    CREATE,
    /** Make or replace. */
    PUT,
    /** Remove. */
    DELETE
  }

  /** What kind of change it is. */
  Intent intent();

  /** What is asked, for errors: {@code add route}. */
  String operation();

  /** Of which object, for errors. */
  String object();

  /** Writes one message or several. */
  void write(NlWriter out);

  /**
   * Makes a device, with all its settings. Settings that the kernel takes only afterwards (ifalias,
   * no link-local address) go in a second message of the same send, and so does going up then.
   *
   * @param name its name
   * @param index its ifindex, 0 to let the kernel choose
   * @param kind what sort of device
   * @param settings what else, such as {@code new Mtu(1450)}
   */
  record CreateLink(String name, int index, LinkKind kind, List<LinkSetting> settings)
      implements RouteRequest {
    public CreateLink {
      Link.checkName(name);
      settings = List.copyOf(settings);
    }

    @Override
    public Intent intent() {
      return Intent.CREATE;
    }

    @Override
    public String operation() {
      return "create link";
    }

    @Override
    public String object() {
      return name
          + " "
          + (kind instanceof LinkKind.Veth veth ? "veth peer " + veth.peer() : kind.name());
    }

    @Override
    public void write(NlWriter out) {
      boolean atOnce = settings.stream().allMatch(LinkSetting::fitsCreation);
      boolean up = settings.contains(new LinkSetting.Up(true));
      int flags = atOnce && up ? Link.IFF_UP : 0;
      out.message(Rtnl.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      Link.putHeader(out, index, flags, flags);
      out.string(Link.IFLA_IFNAME, name);
      settings.stream().filter(LinkSetting::fitsCreation).forEach(setting -> setting.write(out));
      kind.writeLink(out);
      out.nest(Link.IFLA_LINKINFO)
          .string(Link.IFLA_INFO_KIND, kind.name())
          .nest(Link.IFLA_INFO_DATA);
      kind.writeData(out);
      out.unnest().unnest().end();
      if (!atOnce) {
        new SetLink(
                0,
                name,
                settings.stream()
                    .filter(setting -> !setting.fitsCreation() || setting instanceof LinkSetting.Up)
                    .toList())
            .write(out);
      }
    }
  }

  /**
   * Changes settings of a device that stands.
   *
   * @param index its ifindex, or 0 to find it by {@code name}
   * @param name its name; with an index only for messages
   * @param settings the changes; others stay
   */
  record SetLink(int index, String name, List<LinkSetting> settings) implements RouteRequest {
    public SetLink {
      settings = List.copyOf(settings);
    }

    /** Of the device of this index. */
    public static SetLink of(int index, LinkSetting... settings) {
      return new SetLink(index, "", List.of(settings));
    }

    /** Of the device of this name. */
    public static SetLink of(String name, LinkSetting... settings) {
      return new SetLink(0, name, List.of(settings));
    }

    @Override
    public Intent intent() {
      return Intent.PUT;
    }

    @Override
    public String operation() {
      return "set link";
    }

    @Override
    public String object() {
      return RouteRequest.device(index, name)
          + settings.stream().map(s -> " " + s.text()).collect(Collectors.joining());
    }

    @Override
    public void write(NlWriter out) {
      int flags = 0;
      int change = 0;
      for (LinkSetting setting : settings) {
        if (setting instanceof LinkSetting.Up(boolean up)) {
          change |= Link.IFF_UP;
          flags |= up ? Link.IFF_UP : 0;
        } else if (setting instanceof LinkSetting.Promiscuous(boolean all)) {
          change |= Link.IFF_PROMISC;
          flags |= all ? Link.IFF_PROMISC : 0;
        }
      }
      out.message(Rtnl.RTM_SETLINK, 0);
      Link.putHeader(out, index, flags, change);
      if (index == 0) {
        out.string(Link.IFLA_IFNAME, name);
      }
      settings.forEach(setting -> setting.write(out));
      out.end();
    }
  }

  /**
   * Says whether a bridge sends a frame back by the port that it came from, so that a pod reaches
   * itself by an address that is translated to its own.
   *
   * @param index the port's ifindex
   * @param name the port's name, for messages
   * @param on whether it does
   */
  record SetHairpin(int index, String name, boolean on) implements RouteRequest {
    @Override
    public Intent intent() {
      return Intent.PUT;
    }

    @Override
    public String operation() {
      return "set bridge port";
    }

    @Override
    public String object() {
      return RouteRequest.device(index, name) + " hairpin " + (on ? "on" : "off");
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_SETLINK, 0);
      out.putU8(Rtnl.AF_BRIDGE).putU8(0).putU16(0).putU32(index).putU32(0).putU32(0);
      out.nest(Link.IFLA_PROTINFO).u8(BridgePort.IFLA_BRPORT_MODE, on ? 1 : 0).unnest().end();
    }
  }

  /**
   * Says whether the node's rules see what goes between two ports of a bridge.
   *
   * @param index the bridge's ifindex
   * @param name the bridge's name, for messages
   * @param filter for which families they do
   */
  record SetBridgeFilter(int index, String name, BridgeFilter filter) implements RouteRequest {
    @Override
    public Intent intent() {
      return Intent.PUT;
    }

    @Override
    public String operation() {
      return "set bridge";
    }

    @Override
    public String object() {
      return RouteRequest.device(index, name) + " " + filter;
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_NEWLINK, 0);
      Link.putHeader(out, index, 0, 0);
      out.nest(Link.IFLA_LINKINFO).string(Link.IFLA_INFO_KIND, "bridge").nest(Link.IFLA_INFO_DATA);
      filter.write(out);
      out.unnest().unnest().end();
    }
  }

  /**
   * Removes a device; a veth's other end goes with it.
   *
   * @param index its ifindex, or 0 to find it by {@code name}
   */
  record DeleteLink(int index, String name) implements RouteRequest {
    /** The device of this name. */
    public static DeleteLink of(String name) {
      return new DeleteLink(0, name);
    }

    @Override
    public Intent intent() {
      return Intent.DELETE;
    }

    @Override
    public String operation() {
      return "delete link";
    }

    @Override
    public String object() {
      return RouteRequest.device(index, name);
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_DELLINK, 0);
      Link.putHeader(out, index, 0, 0);
      if (index == 0) {
        out.string(Link.IFLA_IFNAME, name);
      }
      out.end();
    }
  }

  /**
   * Removes all devices of a group at once: fifty in the time of one, since the kernel waits once.
   *
   * @param group the group, not 0, which all others are in
   */
  record DeleteGroup(int group) implements RouteRequest {
    public DeleteGroup {
      if (group == 0) {
        throw new IllegalArgumentException("group 0 is every device of nobody's group");
      }
    }

    @Override
    public Intent intent() {
      return Intent.DELETE;
    }

    @Override
    public String operation() {
      return "delete links of group";
    }

    @Override
    public String object() {
      return Integer.toUnsignedString(group);
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_DELLINK, 0);
      Link.putHeader(out, 0, 0, 0);
      out.u32(Link.IFLA_GROUP, group).end();
    }
  }

  /** Changes a device's queues. */
  record ChangeTraffic(TrafficChange change) implements RouteRequest {
    @Override
    public Intent intent() {
      return change.intent();
    }

    @Override
    public String operation() {
      return change.operation();
    }

    @Override
    public String object() {
      return change.device();
    }

    @Override
    public void write(NlWriter out) {
      change.write(out);
    }
  }

  /** What is done to an entry. */
  enum Form {
    PUT_ADDRESS(Intent.PUT, "add address", Rtnl.RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE),
    DELETE_ADDRESS(Intent.DELETE, "delete address", Rtnl.RTM_DELADDR, 0),
    CREATE_ROUTE(Intent.CREATE, "add route", Rtnl.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL),
    ADD_ROUTE(Intent.PUT, "add route", Rtnl.RTM_NEWROUTE, NLM_F_CREATE),
    PUT_ROUTE(Intent.PUT, "replace route", Rtnl.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE),
    DELETE_ROUTE(Intent.DELETE, "delete route", Rtnl.RTM_DELROUTE, 0),
    CREATE_RULE(Intent.CREATE, "add rule", Rtnl.RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL),
    DELETE_RULE(Intent.DELETE, "delete rule", Rtnl.RTM_DELRULE, 0),
    PUT_NEIGHBOUR(Intent.PUT, "add neighbour", Rtnl.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE),
    DELETE_NEIGHBOUR(Intent.DELETE, "delete neighbour", Rtnl.RTM_DELNEIGH, 0),
    PUT_FDB(Intent.PUT, "add fdb entry", Rtnl.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE),
    DELETE_FDB(Intent.DELETE, "delete fdb entry", Rtnl.RTM_DELNEIGH, 0);

    private final Intent intent;
    private final String operation;
    private final int message;
    private final int flags;

    Form(Intent intent, String operation, int message, int flags) {
      this.intent = intent;
      this.operation = operation;
      this.message = message;
      this.flags = flags;
    }
  }

  /** An address, a route, a rule, a neighbour or an FDB entry: one message about it is all. */
  interface Entry {
    /** Writes the message's body. */
    void write(NlWriter out);
  }

  /** A change of one entry. */
  sealed interface OfEntry extends RouteRequest {
    /** What is done to it. */
    Form form();

    /** The entry. */
    Entry entry();

    @Override
    default Intent intent() {
      return form().intent;
    }

    @Override
    default String operation() {
      return form().operation;
    }

    @Override
    default String object() {
      return entry().toString();
    }

    @Override
    default void write(NlWriter out) {
      out.message(form().message, form().flags);
      entry().write(out);
      out.end();
    }
  }

  /** Gives a device an address, or changes the flags of one that it has. */
  record PutAddress(Address entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.PUT_ADDRESS;
    }
  }

  /**
   * As {@link PutAddress}; an IPv4 address of a subnet of more than two gets the subnet's last
   * address as broadcast address, as {@code ip address add ADDRESS brd +} does.
   */
  record PutBroadcastAddress(Address address) implements RouteRequest {
    @Override
    public Intent intent() {
      return Intent.PUT;
    }

    @Override
    public String operation() {
      return "add address";
    }

    @Override
    public String object() {
      return address.toString();
    }

    @Override
    public void write(NlWriter out) {
      out.message(Rtnl.RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
      address.write(out);
      InterfaceAddress whole = address.address();
      if (whole.ip().family() == Family.V4 && whole.length() < 31) {
        out.ip(Address.IFA_BROADCAST, whole.subnet().last());
      }
      out.end();
    }
  }

  /** Takes an address from a device. */
  record DeleteAddress(Address entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.DELETE_ADDRESS;
    }
  }

  /** Makes a route whose key is free. */
  record CreateRoute(RouteEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.CREATE_ROUTE;
    }
  }

  /**
   * Adds a route beside those that its destination has already: of IPv4 routes the newest is taken,
   * IPv6 routes become one with several ways. Fails with {@code AlreadyExists} when the very same
   * route is there.
   */
  record AddRoute(RouteEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.ADD_ROUTE;
    }
  }

  /**
   * Makes a route or replaces the one of its key, in one step, so that packets always find one.
   * Also one that is not ours: look first.
   */
  record PutRoute(RouteEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.PUT_ROUTE;
    }
  }

  /** Removes the route of this key, protocol and type, and of these ways if any are named. */
  record DeleteRoute(RouteEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.DELETE_ROUTE;
    }
  }

  /** Makes a rule. */
  record CreateRule(Rule entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.CREATE_RULE;
    }
  }

  /** Removes a rule. */
  record DeleteRule(Rule entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.DELETE_RULE;
    }
  }

  /** Makes or replaces a neighbour. */
  record PutNeighbour(Neighbour entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.PUT_NEIGHBOUR;
    }
  }

  /** Removes a neighbour. */
  record DeleteNeighbour(Neighbour entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.DELETE_NEIGHBOUR;
    }
  }

  /** Makes or replaces an FDB entry. */
  record PutFdb(FdbEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.PUT_FDB;
    }
  }

  /** Removes an FDB entry. */
  record DeleteFdb(FdbEntry entry) implements OfEntry {
    @Override
    public Form form() {
      return Form.DELETE_FDB;
    }
  }

  private static String device(int index, String name) {
    return name.isEmpty() ? "#" + index : name;
  }
}
