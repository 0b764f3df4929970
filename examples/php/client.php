<?php
// Talks to Vitrine from PHP: asks for suggestions, tells of a click, asks again, asks for a page.
//
//   mkdir -p build/clients/php
//   thrift -r --gen php:nsglobal=Vitrine -I . -out build/clients/php api/vitrine.thrift
//   php examples/php/client.php 127.0.0.1:9090 SITE [VISITOR]
//
// Needs php-thrift (Debian), or apache/thrift (Composer) with THRIFT_PHP=vendor/apache/thrift/lib/php/lib.

declare(strict_types=1);

use Thrift\Exception\TException;
use Thrift\Protocol\TBinaryProtocol;
use Thrift\Transport\TFramedTransport;
use Thrift\Transport\TSocket;
use Vitrine\Context;
use Vitrine\Event;
use Vitrine\EventKind;
use Vitrine\Item;
use Vitrine\PageRequest;
use Vitrine\RecommendReply;
use Vitrine\RecommendRequest;
use Vitrine\ShelfWanted;
use Vitrine\StorefrontClient;
use Vitrine\TrackRequest;

// "Thrift\Transport\TSocket" is Transport/TSocket.php of Thrift's library, "Vitrine\Context" is
// Vitrine/Context.php of our stubs.
spl_autoload_register(function (string $class): void {
    $path = str_replace('\\', '/', $class) . '.php';
    $library = getenv('THRIFT_PHP') ?: '/usr/lib/php';
    $stubs = getenv('VITRINE_PHP') ?: __DIR__ . '/../../build/clients/php';
    $file = str_starts_with($path, 'Thrift/')
        ? $library . substr($path, strlen('Thrift'))
        : "$stubs/$path";
    if (is_file($file)) {
        require $file;
    }
});

// The event of a visitor who looks at a product now.
function click(string $productId, string $visitor): Event
{
    return new Event([
        'id' => bin2hex(random_bytes(16)), // an event that is sent twice counts once
        'time_ms' => (int) (microtime(true) * 1000),
        'kind' => EventKind::VIEW_ITEM,
        'visitor_id' => $visitor,
        'items' => [new Item(['product_id' => $productId])],
    ]);
}

function show(string $title, RecommendReply $reply): void
{
    printf("%s (events known: %d, model: %s)\n", $title, $reply->history_events, $reply->model_id);
    foreach ($reply->suggestions as $one) {
        printf("  %-14s %-40.40s %9.4f\n", $one->product_id, $one->name ?? '', $one->score);
    }
}

function converse(StorefrontClient $storefront, string $site, string $visitor): void
{
    $context = new Context(['site' => $site, 'visitor_id' => $visitor]);
    $five = new RecommendRequest(['context' => $context, 'k' => 5]);
    $before = $storefront->recommend($five);
    show('suggested', $before);

    $liked = end($before->suggestions)->product_id;
    $done = $storefront->track(
        new TrackRequest(['context' => $context, 'events' => [click($liked, $visitor)]])
    );
    printf("tracked a click on %s: accepted %d\n", $liked, $done->accepted);

    show('suggested after the click', $storefront->recommend($five));

    // All shelves of a page in one call: no product is on two of them.
    $page = $storefront->page(new PageRequest(['context' => $context, 'shelves' => [
        new ShelfWanted(['placement' => 'home', 'k' => 3]),
        new ShelfWanted(['placement' => 'trending', 'k' => 3]),
    ]]));
    foreach ($page->shelves as $shelf) {
        $ids = array_map(fn ($one) => $one->product_id, $shelf->suggestions);
        printf("shelf %s: %s\n", $shelf->placement, implode(' ', $ids));
    }
}

if ($argc < 3) {
    fwrite(STDERR, "usage: client.php HOST:PORT SITE [VISITOR]\n");
    exit(2);
}
[$host, $port] = explode(':', $argv[1]);
$socket = new TSocket($host, (int) $port);
$socket->setSendTimeout(10000);
$socket->setRecvTimeout(10000);
$transport = new TFramedTransport($socket);
try {
    $transport->open();
    $storefront = new StorefrontClient(new TBinaryProtocol($transport, true, true));
    converse($storefront, $argv[2], $argv[3] ?? 'visitor-' . bin2hex(random_bytes(8)));
} catch (TException $error) {
    fwrite(STDERR, "client.php: {$argv[1]}: {$error->getMessage()}\n");
    exit(1);
} finally {
    $transport->close();
}
