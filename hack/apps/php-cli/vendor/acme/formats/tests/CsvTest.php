<?php exit("a test");
