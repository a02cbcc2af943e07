package dev.sund.agent.seen;

import dev.sund.engine.AddressBook;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/** Who has which address, and which Service answers where, as the node knows it now. */
@FunctionalInterface
public interface Directory {
  /** Where something was asked before it was translated. */
  record Place(Ip address, Protocol protocol, int port) {}

  /**
   * What is known.
   *
   * @param holders by address; one that may be a pod's and is not known is not there
   * @param services by place, {@code NAMESPACE/NAME}; places that are no Service's are not there
   */
  record Known(Map<Ip, AddressBook.Holder> holders, Map<Place, String> services) {}

  /**
   * Looks up.
   *
   * @throws TimeoutException when nobody answers in time; ask again later
   */
  Known look(Set<Ip> addresses, Set<Place> places) throws InterruptedException, TimeoutException;

  /** What a book says. */
  static Known of(AddressBook book, Set<Ip> addresses, Set<Place> places) {
    Map<Place, String> services = new HashMap<>();
    for (Place place : places) {
      book.service(place.address(), place.protocol(), place.port())
          .ifPresent(name -> services.put(place, name));
    }
    return new Known(book.holders(addresses), services);
  }
}
