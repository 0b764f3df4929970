// Talks to Vitrine from Java: asks for suggestions, tells of a click, asks again, asks for a page.
//
//   mkdir -p build/clients/java
//   thrift -r --gen java:generated_annotations=suppress -I . -out build/clients/java api/vitrine.thrift
//   CLASSPATH=/usr/share/java/thrift.jar:/usr/share/java/slf4j-api.jar
//   javac -cp $CLASSPATH -d build/clients/java/classes build/clients/java/*.java examples/java/Client.java
//   java -cp $CLASSPATH:build/clients/java/classes Client 127.0.0.1:9090 SITE [VISITOR]
//
// Needs libthrift-java (Debian), or org.apache.thrift:libthrift (Maven).

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

public final class Client {
  private static final int TIMEOUT_MS = 10_000;

  private Client() {}

  // The event of a visitor who looks at a product now.
  private static Event click(String productId, String visitor) {
    Event event = new Event();
    event.setId(UUID.randomUUID().toString()); // an event that is sent twice counts once
    event.setTime_ms(System.currentTimeMillis());
    event.setKind(EventKind.VIEW_ITEM);
    event.setVisitor_id(visitor);
    Item item = new Item();
    item.setProduct_id(productId);
    event.setItems(List.of(item));
    return event;
  }

  private static void show(String title, RecommendReply reply) {
    System.out.printf("%s (events known: %d, model: %s)%n", title, reply.getHistory_events(),
        reply.getModel_id());
    for (Suggestion one : reply.getSuggestions()) {
      String name = one.isSetName() ? one.getName() : "";
      System.out.printf("  %-14s %-40.40s %9.4f%n", one.getProduct_id(), name, one.getScore());
    }
  }

  private static void converse(Storefront.Client storefront, String site, String visitor)
      throws TException {
    Context context = new Context();
    context.setSite(site);
    context.setVisitor_id(visitor);
    RecommendRequest five = new RecommendRequest();
    five.setContext(context);
    five.setK(5);
    RecommendReply before = storefront.recommend(five);
    show("suggested", before);

    String liked = before.getSuggestions().get(before.getSuggestionsSize() - 1).getProduct_id();
    TrackRequest track = new TrackRequest();
    track.setContext(context);
    track.setEvents(List.of(click(liked, visitor)));
    TrackReply done = storefront.track(track);
    System.out.printf("tracked a click on %s: accepted %d%n", liked, done.getAccepted());

    show("suggested after the click", storefront.recommend(five));

    // All shelves of a page in one call: no product is on two of them.
    PageRequest request = new PageRequest();
    request.setContext(context);
    for (String placement : List.of("home", "trending")) {
      ShelfWanted wanted = new ShelfWanted();
      wanted.setPlacement(placement);
      wanted.setK(3);
      request.addToShelves(wanted);
    }
    for (Shelf shelf : storefront.page(request).getShelves()) {
      List<String> ids = new ArrayList<>();
      for (Suggestion one : shelf.getSuggestions()) ids.add(one.getProduct_id());
      System.out.printf("shelf %s: %s%n", shelf.getPlacement(), String.join(" ", ids));
    }
  }

  public static void main(String[] args) {
    if (args.length < 2) {
      System.err.println("usage: Client HOST:PORT SITE [VISITOR]");
      System.exit(2);
    }
    String[] address = args[0].split(":");
    String visitor = args.length > 2 ? args[2] : "visitor-" + UUID.randomUUID();
    try (TFramedTransport transport =
        new TFramedTransport(new TSocket(address[0], Integer.parseInt(address[1]), TIMEOUT_MS))) {
      transport.open();
      converse(new Storefront.Client(new TBinaryProtocol(transport, true, true)), args[1], visitor);
    } catch (TException error) {
      System.err.println("Client: " + args[0] + ": " + error);
      System.exit(1);
    }
  }
}
