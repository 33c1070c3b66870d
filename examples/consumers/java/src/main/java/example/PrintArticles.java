package example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints the articles that an editor's topic was given, one a line: id, version, title, topics.
 *
 * <p>Stock kafka-clients and a JSON parser; nothing here knows Newswire but its documents.
 */
public final class PrintArticles {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, Long> newest = new HashMap<>(); // a real program keeps it with the article
  private final String wanted;

  private PrintArticles(String wanted) {
    this.wanted = wanted;
  }

  /** Arguments: bootstrap servers, group, topic of Kafka with its prefix, topic of an editor. */
  public static void main(String[] arguments) {
    if (arguments.length != 4) {
      System.err.println("usage: PrintArticles HOST:PORT GROUP [PREFIX]newswire.enriched.v1 nato-bid");
      System.exit(2);
    }
    KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(settings(arguments[0], arguments[1]));
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(consumer, main)));
    try (consumer) {
      consumer.subscribe(List.of(arguments[2]));
      new PrintArticles(arguments[3]).consume(consumer);
    } catch (WakeupException stopped) {
      // closing leaves the group at once, so that another member takes over
    }
  }

  private static Map<String, Object> settings(String bootstrap, String group) {
    return Map.of(
        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap,
        ConsumerConfig.GROUP_ID_CONFIG, group,
        ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed", // the default shows aborted messages
        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
        ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class,
        ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
  }

  private static void stop(KafkaConsumer<?, ?> consumer, Thread main) {
    consumer.wakeup();
    try {
      main.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void consume(KafkaConsumer<String, byte[]> consumer) {
    while (true) {
      for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
        handle(record);
      }
      try {
        consumer.commitSync(); // after the articles were handled: at least once
      } catch (CommitFailedException moved) {
        System.err.println("partitions moved: their new owner reads again");
      }
    }
  }

  private void handle(ConsumerRecord<String, byte[]> record) {
    if (record.value() == null) {
      byte[] header = record.headers().lastHeader("version").value();
      long version = Long.parseLong(new String(header, StandardCharsets.UTF_8));
      if (isNew(record.key(), version)) {
        OUT.printf("%s\t%d\twithdrawn%n", record.key(), version);
      }
      return;
    }
    try {
      print(record.key(), json.readTree(record.value()));
    } catch (IOException error) { // stopping would stop at the same message for ever
      System.err.printf("%s is no JSON: %s%n", record.key(), error.getMessage());
    }
  }

  private void print(String id, JsonNode article) {
    List<String> topics = new ArrayList<>();
    article.path("topics").forEach(topic -> topics.add(topic.path("id").asText()));
    long version = article.path("version").asLong();
    if (isNew(id, version) && topics.contains(wanted)) {
      OUT.printf("%s\t%d\t%s\t%s%n", id, version, article.path("title").asText(), String.join(",", topics));
    }
  }

  /** Says whether a version is newer than all before: messages may come twice. */
  private boolean isNew(String id, long version) {
    if (version <= newest.getOrDefault(id, 0L)) {
      return false;
    }
    newest.put(id, version);
    return true;
  }
}
