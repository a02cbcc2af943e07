package dev.sund.kernel.route;

import dev.sund.kernel.route.LinkSetting.Up;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests that go to the kernel together, in order. A later one may name what an earlier one
 * makes. One thread at a time; may be applied again.
 */
public final class RouteBatch {
  private final List<RouteRequest> requests = new ArrayList<>();

  /** Adds any request. */
  public RouteBatch add(RouteRequest request) {
    requests.add(request);
    return this;
  }

  /** Makes a device. */
  public RouteBatch createLink(String name, LinkKind kind, LinkSetting... settings) {
    return add(new RouteRequest.CreateLink(name, 0, kind, List.of(settings)));
  }

  /** Changes settings of the device of this index. */
  public RouteBatch setLink(int index, LinkSetting... settings) {
    return add(RouteRequest.SetLink.of(index, settings));
  }

  /** Changes settings of the device of this name. */
  public RouteBatch setLink(String name, LinkSetting... settings) {
    return add(RouteRequest.SetLink.of(name, settings));
  }

  /** Switches the device of this name on. */
  public RouteBatch up(String name) {
    return setLink(name, new Up(true));
  }

  /** Removes the device of this name. */
  public RouteBatch deleteLink(String name) {
    return add(RouteRequest.DeleteLink.of(name));
  }

  /** Removes all devices of a group. */
  public RouteBatch deleteGroup(int group) {
    return add(new RouteRequest.DeleteGroup(group));
  }

  /** Gives a device an address. */
  public RouteBatch put(Address address) {
    return add(new RouteRequest.PutAddress(address));
  }

  /** Takes an address from a device. */
  public RouteBatch delete(Address address) {
    return add(new RouteRequest.DeleteAddress(address));
  }

  /** Makes a route whose key is free. */
  public RouteBatch create(RouteEntry route) {
    return add(new RouteRequest.CreateRoute(route));
  }

  /** Makes or replaces a route. */
  public RouteBatch put(RouteEntry route) {
    return add(new RouteRequest.PutRoute(route));
  }

  /** Removes a route. */
  public RouteBatch delete(RouteEntry route) {
    return add(new RouteRequest.DeleteRoute(route));
  }

  /** Makes a rule. */
  public RouteBatch create(Rule rule) {
    return add(new RouteRequest.CreateRule(rule));
  }

  /** Removes a rule. */
  public RouteBatch delete(Rule rule) {
    return add(new RouteRequest.DeleteRule(rule));
  }

  /** Makes or replaces a neighbour. */
  public RouteBatch put(Neighbour neighbour) {
    return add(new RouteRequest.PutNeighbour(neighbour));
  }

  /** Removes a neighbour. */
  public RouteBatch delete(Neighbour neighbour) {
    return add(new RouteRequest.DeleteNeighbour(neighbour));
  }

  /** Makes or replaces an FDB entry. */
  public RouteBatch put(FdbEntry entry) {
    return add(new RouteRequest.PutFdb(entry));
  }

  /** Removes an FDB entry. */
  public RouteBatch delete(FdbEntry entry) {
    return add(new RouteRequest.DeleteFdb(entry));
  }

  /** The requests so far, in order. */
  public List<RouteRequest> requests() {
    return List.copyOf(requests);
  }

  /** How many. */
  public int size() {
    return requests.size();
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return requests.isEmpty();
  }
}
